// When the sun rises and sets, so that charts can shade the night.

const RAD = Math.PI / 180;
const DAY_S = 86400;

/**
 * Return sunrise and sunset around an instant, within about two minutes (NOAA, "Solar calculation details": the
 * equations of declination and of time; the sun's upper rim at the horizon, 90.833°).
 * @param {number} at UTC epoch [s] @param {number} latitude [°] @param {number} longitude [°]
 * @returns {{rise: number, set: number} | null} UTC epoch [s]; null where it does not set or rise that day
 */
export function sunTimes(at, latitude, longitude) {
  const localNoon = (Math.floor((at + longitude * 240) / DAY_S) + 0.5) * DAY_S - longitude * 240;
  const century = (localNoon / DAY_S + 2440587.5 - 2451545) / 36525;
  const meanLongitude = 280.46646 + century * 36000.76983;
  const anomaly = (357.52911 + century * 35999.05029) * RAD;
  const centre = 1.914602 * Math.sin(anomaly) + 0.019993 * Math.sin(2 * anomaly);
  const apparent = (meanLongitude + centre - 0.00569) * RAD;
  const tilt = 23.4393 * RAD;
  const declination = Math.asin(Math.sin(tilt) * Math.sin(apparent));
  const y = Math.tan(tilt / 2) ** 2;
  const l = meanLongitude * RAD;
  const eccentricity = 0.016708634;
  const equation =
    (4 / RAD) *
    (y * Math.sin(2 * l) -
      2 * eccentricity * Math.sin(anomaly) +
      4 * eccentricity * y * Math.sin(anomaly) * Math.cos(2 * l) -
      0.5 * y * y * Math.sin(4 * l) -
      1.25 * eccentricity ** 2 * Math.sin(2 * anomaly));
  const phi = latitude * RAD;
  const cosine = Math.cos(90.833 * RAD) / (Math.cos(phi) * Math.cos(declination)) - Math.tan(phi) * Math.tan(declination);
  if (Math.abs(cosine) > 1) return null;
  const half = (Math.acos(cosine) / RAD) * 240;
  const noon = localNoon - equation * 60;
  return { rise: noon - half, set: noon + half };
}
