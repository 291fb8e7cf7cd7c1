"""Send what a file holds over MQTT, as devices of its own, marked as history, many measurements in a message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from telemetry.clock import Clock
from telemetry.importer.rows import Reading
from telemetry.messages import Data, Kind, MetricInfo
from telemetry.messages.tables import Metric
from telemetry.messages.wire import encode_array
from telemetry.mqtt import Client
from telemetry.mqtt.device import Address, DevicePublisher, Identity
from telemetry.mqtt.sender import ARRAY_LENGTH

MODEL = "berrybrain-import"
IN_FLIGHT = 20
"""Messages without acknowledgement at a time: each is large, and ingest shall not be flooded."""


class ReplayError(Exception):
    """The broker did not take everything in time."""

    code = "broker_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where the measurements go; `boot` is the same for the same file, so that a second import adds nothing."""

    site: str
    zone: str
    boot: str


class Replay:
    """Publishes a reading.

    Args:
        client: connected or not; `turn` drives it.
        metrics: the farm's table, for units and limits.
    """

    def __init__(
        self, client: Client, clock: Clock, metrics: Mapping[str, Metric], target: Target, reading: Reading
    ) -> None:
        self._client = client
        self._clock = clock
        self._target = target
        self._reading = reading
        self._publishers = [
            DevicePublisher(client, self._address(device), clock, self._identity(device, metrics))
            for device in reading.devices
        ]
        self.messages = 0

    def run(self, turn: Callable[[], object], *, quiet_s: float = 20.0) -> None:
        """Publish everything; returns when the broker has acknowledged it.

        Args:
            turn: drives the client once.
            quiet_s: longest time without any progress [s].

        Raises:
            ReplayError: nothing went forward for so long.
        """
        self._until(lambda: self._client.connected, turn, quiet_s)
        for topic, payload in self._payloads():
            self._until(lambda: self._client.unacknowledged() < IN_FLIGHT, turn, quiet_s)
            self._client.publish(topic, payload, qos=1)
            self.messages += 1
        for publisher in self._publishers:
            publisher.close()
        self._until(lambda: self._client.unacknowledged() == 0, turn, quiet_s)

    def _payloads(self) -> Iterator[tuple[str, bytes]]:
        for device, rows in self._reading.devices.items():
            topic = self._address(device).topic(Kind.DATA)
            for begin in range(0, len(rows), ARRAY_LENGTH):
                block = rows[begin : begin + ARRAY_LENGTH]
                yield (
                    topic,
                    encode_array(
                        [
                            Data(at=at, seq=begin + i, boot=self._target.boot, metrics=values, historical=True)
                            for i, (at, values) in enumerate(block)
                        ]
                    ),
                )

    def _until(self, condition: Callable[[], bool], turn: Callable[[], object], quiet_s: float) -> None:
        deadline = self._clock.monotonic() + quiet_s
        while not condition():
            turn()
            if self._clock.monotonic() > deadline:
                raise ReplayError(f"the broker took {self.messages} messages and then nothing for {quiet_s:.0f} s")

    def _address(self, device: str) -> Address:
        return Address(site=self._target.site, zone=self._target.zone, device=device)

    def _identity(self, device: str, metrics: Mapping[str, Metric]) -> Identity:
        names = sorted({name for _, values in self._reading.devices[device] for name in values})
        infos = {
            name: MetricInfo(
                unit=metrics[name].unit,
                minimum=metrics[name].minimum,
                maximum=metrics[name].maximum,
                interval=self._reading.interval,
            )
            for name in names
        }
        return Identity(boot=self._target.boot, model=MODEL, firmware="", metrics=infos)
