"""The greenhouse that is not there: weather, climate of every zone and the sensor boxes, on timers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sim.climate import (
    MG_PER_PPM,
    ClimateSettings,
    ClimateState,
    Controls,
    Flows,
    grower,
    initial_state,
    relative_humidity,
    step,
)
from sim.sensors import Fault, Publisher, SensorBox
from sim.weather import Outdoor, Spell, Weather
from telemetry.agronomy.light import ppfd_from_global
from telemetry.clock import Clock, Timers
from telemetry.farm import Device, Farm

STEP = 60.0
SPIN_UP = 86400.0
KINDS: dict[str, ClimateSettings] = {
    "tunnel": ClimateSettings(),
    "glasshouse": ClimateSettings(
        height=4.7,
        cover_area=1.25,
        light_transmission=0.70,
        fir_emissivity=0.85,
        fir_transmission=0.0,
        side_area=0.15,
        leak=1.0e-4,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GreenhouseSettings:
    """Which farm, and what befalls it. `seed` fixes weather and noise."""

    farm: Farm
    seed: int
    spells: tuple[Spell, ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass(slots=True)
class Air:
    """The climate of one zone, now."""

    settings: ClimateSettings
    state: ClimateState
    outdoor: Outdoor
    controls: Controls = field(default_factory=Controls)
    flows: Flows | None = None


class Greenhouse:
    """Advances every zone's climate and lets the sensor boxes measure it.

    Args:
        publishers: by device id; a device without one is not simulated.
        clock: the node's time.
        timers: the node's timers.
        settings: farm, seed, spells and faults.
    """

    def __init__(
        self, publishers: Mapping[str, Publisher], clock: Clock, timers: Timers, settings: GreenhouseSettings
    ) -> None:
        farm = settings.farm
        self._clock = clock
        self._weather = Weather(
            latitude=farm.site.latitude, longitude=farm.site.longitude, seed=settings.seed, spells=settings.spells
        )
        self._at = clock.now() - SPIN_UP
        outdoor = self._weather.at(self._at)
        self._zones = {
            zone.id: Air(settings=KINDS[zone.kind], state=initial_state(outdoor, KINDS[zone.kind]), outdoor=outdoor)
            for zone in farm.zones
        }
        self.faults: Sequence[Fault] = settings.faults
        self.boxes = {
            device.id: SensorBox(
                device=device.id,
                metrics=device.metrics,
                publisher=publishers[device.id],
                seed=settings.seed,
                faults=settings.faults,
            )
            for device in farm.devices
            if device.id in publishers
        }
        self._advance()
        for device in farm.devices:
            if device.id in self.boxes:
                self._sampler(device)()
                timers.every(device.interval, self._sampler(device))

    def air(self, zone: str) -> Air:
        """Return the climate of a zone as it is now."""
        self._advance()
        return self._zones[zone]

    def truth(self, zone: str) -> dict[str, float]:
        """Return what perfect sensors in a zone would read now, by metric, in the metric's unit."""
        air = self.air(zone)
        state, outdoor = air.state, air.outdoor
        inside = air.settings.light_transmission * outdoor.global_radiation
        return {
            "air_temperature": state.air_degc,
            "relative_humidity": relative_humidity(state),
            "co2": state.co2 / MG_PER_PPM,
            "global_radiation": inside,
            "ppfd": ppfd_from_global(inside),
            "soil_temperature": state.substrate_degc,
            "substrate_moisture": 100.0 * state.water,
            "substrate_ec": 1.3 * (0.55 / state.water) ** 0.5,
            "leaf_temperature": state.canopy_degc,
            "leaf_wetness": min(100.0, 1000.0 * state.wetness),
            "outside_temperature": outdoor.air_degc,
            "outside_humidity": outdoor.rh_pct,
            "wind_speed": outdoor.wind,
            "vent_opening": 100.0 * air.controls.vent,
        }

    def _sampler(self, device: Device) -> Callable[[], None]:
        box = self.boxes[device.id]
        return lambda: box.sample(self.truth(device.zone), self._clock.now())

    def _advance(self) -> None:
        """Take whole steps up to now; a late timer is caught up."""
        now = self._clock.now()
        while self._at + STEP <= now + 1e-6:
            self._at += STEP
            outdoor = self._weather.at(self._at)
            for air in self._zones.values():
                air.outdoor = outdoor
                air.controls = grower(air.state, outdoor)
                air.state, air.flows = step(air.state, outdoor, air.controls, air.settings, STEP)
