// The table of climate quantities: which colour, how exact, what is wanted, where an alarm is raised. Adding one adds a row.

/**
 * Wanted ranges: agronomy of protected strawberry in bloom and harvest (day 18–24, night 6–12 °C; 50–70 % and 0.4–1.2 kPa by day; DLI 12–17).
 * Limits are those of the brain's alarms (telemetry/brain/alarm_rules.py; a test compares them): another thing, never drawn alike.
 * @typedef {{metric: string, color: string, digits: number, dash?: number[], day?: [number, number], night?: [number, number], zero?: boolean, area?: boolean,
 *   limits?: {value: number, high: boolean, fault: string}[]}} Quantity
 */

/** @type {Quantity[]} */
export const QUANTITIES = [
  { metric: "air_temperature", color: "--c-temp", digits: 1, day: [18, 24], night: [6, 12], limits: [{ value: 35, high: true, fault: "air_hot" }, { value: 5, high: false, fault: "air_cold" }] },
  { metric: "relative_humidity", color: "--c-rh", digits: 0, day: [50, 70], limits: [{ value: 90, high: true, fault: "air_humid" }] },
  { metric: "vpd", color: "--c-vpd", digits: 2, day: [0.4, 1.2], zero: true, limits: [{ value: 1.6, high: true, fault: "air_dry" }] },
  { metric: "global_radiation", color: "--c-light", digits: 0, zero: true, area: true },
  { metric: "ppfd", color: "--c-light", digits: 0, zero: true, area: true },
  { metric: "co2", color: "--c-co2", digits: 0, limits: [{ value: 300, high: false, fault: "co2_low" }] },
  { metric: "leaf_temperature", color: "--c-temp", digits: 1 },
  { metric: "leaf_wetness", color: "--c-rh", digits: 0, zero: true },
  { metric: "soil_temperature", color: "--c-temp", digits: 1 },
  { metric: "substrate_moisture", color: "--c-rh", digits: 0, limits: [{ value: 25, high: false, fault: "substrate_dry" }] },
  { metric: "substrate_ec", color: "--c-co2", digits: 2, limits: [{ value: 2, high: true, fault: "substrate_salty" }] },
  { metric: "ph", color: "--c-co2", digits: 1, limits: [{ value: 7, high: true, fault: "ph_high" }, { value: 5, high: false, fault: "ph_low" }] },
  { metric: "outside_temperature", color: "--c-temp", digits: 1 },
  { metric: "outside_humidity", color: "--c-rh", digits: 0 },
  { metric: "wind_speed", color: "--c-co2", digits: 1, zero: true },
  { metric: "vent_opening", color: "--c-co2", digits: 0, zero: true },
  { metric: "heating_temperature", color: "--c-temp", digits: 0 },
  { metric: "irrigation_volume", color: "--c-rh", digits: 1, zero: true },
  { metric: "drain_volume", color: "--c-rh", digits: 1, zero: true },
  { metric: "drain_ec", color: "--c-co2", digits: 2 },
];

/**
 * The figures on top, in order: what is wanted by day (and by night, where that differs), and from which measurements the brain works them out.
 * @type {{metric: string, digits: number, day?: [number, number], night?: [number, number], inputs: string[], sum?: boolean}[]}
 */
export const FIGURES = [
  { metric: "air_temperature", digits: 1, day: [18, 24], night: [6, 12], inputs: [] },
  { metric: "relative_humidity", digits: 0, day: [50, 70], inputs: [] },
  { metric: "vpd", digits: 2, day: [0.4, 1.2], inputs: ["air_temperature", "relative_humidity"] },
  { metric: "dew_point", digits: 1, inputs: ["air_temperature", "relative_humidity"] },
  { metric: "dli", digits: 1, day: [12, 17], inputs: ["ppfd"], sum: true },
  { metric: "gdd", digits: 1, inputs: ["air_temperature"], sum: true },
];
