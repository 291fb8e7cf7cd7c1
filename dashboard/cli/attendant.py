"""The person beside the robot in an unattended demo: looks at a latched stop, resets it and lets the robot go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from telemetry.farm import Farm
    from telemetry.mqtt import Client

ISSUER = "demo-attendant"
LOOK_S = 5.0
"""How long a robot is blocked before the person acts, and between two acts [s simulated]."""
PATIENCE = 10
"""So many resets in one run; then the robot stays as it is."""
LIFE_S = 60.0


class Attendant:
    """Sends `reset`, then `resume`, over MQTT as a grower's page would. Every reset is counted and reported.

    Args:
        client: an MQTT client.
        farm: the farm's settings.
        robot: which robot is attended.
        say: called with a line for people when the person acts.
    """

    def __init__(self, client: Client, farm: Farm, robot: str, say: Callable[[str], None]) -> None:
        from telemetry.messages import Kind, Topic

        self._client, self._say = client, say
        zone = farm.robot(robot).zone
        self._topic = str(Topic(site=farm.site.id, zone=zone, device=robot, kind=Kind.CMD))
        self._act_at: float | None = None
        self._next = "reset"
        self._sent = 0
        self._gave_up = False
        self.resets = 0

    @property
    def gave_up(self) -> bool:
        """Whether the robot was reset too often and is blocked again."""
        return self._gave_up

    def look(self, *, blocked: bool, fault: str, now: float) -> None:
        """Act when the robot has been blocked for long enough.

        Args:
            blocked: the robot waits for a person.
            fault: why.
            now: UTC epoch [s].
        """
        if not blocked:
            self._act_at, self._next = None, "reset"
            return
        if self._act_at is None:
            self._act_at = now + LOOK_S
        if now < self._act_at:
            return
        if self._next == "reset" and self.resets >= PATIENCE:
            self._gave_up = True
            return
        if self._next == "reset":
            self.resets += 1
            self._say(f"the attendant looks, resets the stop ({fault}) and lets the robot go on")
        self._send(self._next, now)
        self._act_at = now + (0.5 if self._next == "reset" else LOOK_S)
        self._next = "resume" if self._next == "reset" else "reset"

    def _send(self, command: str, now: float) -> None:
        from telemetry.messages import Command
        from telemetry.messages.wire import encode

        self._sent += 1
        order = Command(id=f"{ISSUER}-{now:.0f}-{self._sent}", issuer=ISSUER, expires_at=now + LIFE_S, command=command)
        self._client.publish(self._topic, encode(order), qos=1)
