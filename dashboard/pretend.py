"""A robot that is not there, on the farm's wire: for benches, and for those who write pages without a simulator."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from telemetry.clock import Clock, Timers
from telemetry.messages import AckStatus, Command, Kind, MetricInfo
from telemetry.mqtt import Client
from telemetry.mqtt.commands import CommandInbox, Reply
from telemetry.mqtt.device import Address, DevicePublisher, Identity

JOINTS = (
    "rail_joint",
    "shoulder_pan_joint",
    "shoulder_lift_joint",
    "elbow_joint",
    "wrist_1_joint",
    "wrist_2_joint",
    "wrist_3_joint",
    "gripper_joint",
)
TASKS = ("approach", "grasp", "cut", "place")
STAGES = ("flower", "green", "white", "turning", "ripe", "overripe")
WATCH_S = 15.0
METRICS = {
    name: MetricInfo(unit=unit, minimum=0.0, maximum=1e9, interval=10.0)
    for name, unit in (
        ("picked_total", "1"),
        ("placed_total", "1"),
        ("attempted_total", "1"),
        ("seconds_per_berry", "s"),
        ("peak_force", "N"),
    )
}

CARE = {"cleaned": "cleaning_due", "blade_changed": "blade_due"}
"""What a person tells it has been done, and what that answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PretendSettings:
    """`frames`: makes the picture of a number; `video_period`, `live_period`, `pick_period` in seconds."""

    address: Address
    boot: str
    frames: Callable[[int], bytes]
    video_period: float = 0.1
    live_period: float = 0.2
    pick_period: float = 8.0
    berries_per_segment: int = 5
    urdf: str = ""


class PretendRobot:
    """Answers commands as the gateway does, pretends to pick, and shows itself only to those who watch."""

    def __init__(self, client: Client, clock: Clock, timers: Timers, settings: PretendSettings) -> None:
        self._client, self._clock, self._settings = client, clock, settings
        self._random = random.Random(settings.boot)
        description = {"urdf": settings.urdf} if settings.urdf else {}
        identity = Identity(
            boot=settings.boot, model="pretend ur3e", firmware="0", metrics=METRICS, description=description
        )
        self._device = DevicePublisher(client, settings.address, clock, identity)
        self.safety, self.cause = "RUN", ""
        self.due: list[str] = []
        self._order: dict[str, Any] | None = None
        self._reply: Reply | None = None
        self._live_until = self._video_until = 0.0
        self._frame = self._berry = self._step = 0
        self._picked = self._attempted = 0
        handlers = {"harvest": self._on_harvest, "watch": self._on_watch}
        handlers |= dict.fromkeys(("stop", "hold", "resume", "reset"), self._on_safety)
        handlers |= dict.fromkeys(CARE, self._on_care)
        self._inbox = CommandInbox(client, settings.address, clock, handlers)
        timers.every(settings.live_period, self._send_live)
        timers.every(settings.video_period, self._send_video)
        timers.every(settings.pick_period, self._pick)
        timers.every(10.0, self._send_metrics)
        self._send_state()

    def close(self) -> None:
        """Say offline."""
        self._device.close()

    def begin(self, order_id: str, arguments: Mapping[str, Any]) -> None:
        """Work on an order: `bed`, `side`, `segments`."""
        self._order = {"id": order_id, **arguments, "left": list(arguments["segments"])}
        self._berry = 0
        self._device.event("order", self._order_data("started"))
        self._send_state()

    def fault(self, cause: str) -> None:
        """Stop as after a fault; it must be reset."""
        self.safety, self.cause = "PSTOP", cause
        self._device.event("fault", {"fault": cause, "active": True})
        self._send_state()

    def needs(self, due: str) -> None:
        """Ask for care."""
        self.due.append(due)
        self._send_state()

    def _on_care(self, command: Command, reply: Reply) -> None:
        self.due = [due for due in self.due if due != CARE[command.command]]
        reply(AckStatus.DONE, "")
        self._send_state()

    def _on_watch(self, command: Command, reply: Reply) -> None:
        until = self._clock.monotonic() + WATCH_S
        what = command.arguments.get("what")
        self._live_until = until
        if isinstance(what, list) and "video" in what:
            self._video_until = until
        reply(AckStatus.DONE, "")

    def _on_safety(self, command: Command, reply: Reply) -> None:
        match command.command:
            case "stop":
                self.safety, self.cause = "PSTOP", "operator_stop"
            case "hold" if self.safety == "RUN":
                self.safety, self.cause = "HOLD", "operator_hold"
            case "reset" if self.safety == "PSTOP":
                self.safety, self.cause = "READY", ""
            case "resume" if self.safety in ("HOLD", "READY"):
                self.safety, self.cause = "RUN", ""
            case _:
                reply(AckStatus.FAILED, f"not possible in {self.safety}")
                return
        reply(AckStatus.DONE, "")
        self._send_state()

    def _on_harvest(self, command: Command, reply: Reply) -> None:
        if self._order is not None:
            reply(AckStatus.REJECTED, "busy")
            return
        self._reply = reply
        reply(AckStatus.ACCEPTED, "")
        self.begin(command.id, command.arguments)

    def _pick(self) -> None:
        order = self._order
        if order is None or self.safety != "RUN":
            return
        if not order["left"]:
            self._device.event("order", self._order_data("done"))
            if self._reply is not None:
                self._reply(AckStatus.DONE, "")
            self._order = None
            self._send_state()
            return
        segment = order["left"][0]
        if self._berry == 0:
            self._device.event("count", self._count(order, segment))
        self._berry += 1
        self._attempted += 1
        ok = self._random.random() < 0.85
        self._picked += ok
        self._device.event("pick", self._pick_data(order, segment, ok))
        if self._berry >= self._settings.berries_per_segment:
            order["left"].pop(0)
            self._berry = 0
        self._send_state()

    def _count(self, order: dict[str, Any], segment: int) -> dict[str, Any]:
        numbers = {stage: self._random.randrange(0, 9) for stage in STAGES}
        window = self._settings.berries_per_segment
        data: dict[str, Any] = {"order_id": order["id"], "bed": order["bed"], "side": order["side"], "segment": segment}
        return data | numbers | {"ripe": window, "in_window": window, "ripe_mass": round(0.018 * window, 4)}

    def _pick_data(self, order: dict[str, Any], segment: int, ok: bool) -> dict[str, Any]:
        draw = self._random
        return {
            "order_id": order["id"],
            "bed": order["bed"],
            "side": order["side"],
            "segment": segment,
            "berry_id": self._attempted,
            "x": round(0.6 * segment + draw.random() * 0.6, 3),
            "y": 0.62,
            "z": 0.9,
            "ripeness": round(draw.uniform(0.8, 1.0), 2),
            "stage": "ripe",
            "diameter": round(draw.uniform(0.024, 0.038), 4),
            "result": "ok" if ok else draw.choice(("unreachable", "slipped", "lost_target", "collision_risk")),
            "attempt": 1,
            "seconds": round(draw.uniform(6.0, 10.0), 2),
            "peak_force": round(draw.uniform(0.4, 0.9), 2),
            "mass": round(draw.uniform(0.012, 0.03), 4),
            "punnet": f"p{1 + self._picked // 24}" if ok else "",
        }

    def _order_data(self, status: str) -> dict[str, Any]:
        order_id = self._order["id"] if self._order else ""
        counts = {"picked": self._picked, "placed": self._picked, "attempted": self._attempted}
        return {"order_id": order_id, "status": status, "fault": "", **counts}

    def _send_state(self) -> None:
        order = self._order
        status = "idle" if order is None else "working" if self.safety == "RUN" else "holding"
        detail: dict[str, Any] = {"order_id": "", "bed": "", "side": "", "segment": -1, "queued": 0}
        if order is not None:
            segment = order["left"][0] if order["left"] else -1
            detail |= {"order_id": order["id"], "bed": order["bed"], "side": order["side"], "segment": segment}
        causes = [self.cause] if self.cause else []
        detail |= {"safety": self.safety, "causes": causes, "needs_reset": self.safety == "PSTOP"}
        detail["due"] = self.due
        self._device.state(status, fault=self.cause, detail=detail)

    def _send_metrics(self) -> None:
        counts = {"picked_total": self._picked, "placed_total": self._picked, "attempted_total": self._attempted}
        self._device.data({name: float(value) for name, value in counts.items()})

    def _send_live(self) -> None:
        if self._clock.monotonic() >= self._live_until:
            return
        moving = self._order is not None and self.safety == "RUN"
        self._step += moving
        phase = 0.2 * self._step
        joints = {name: round(0.5 * math.sin(phase * (0.3 + 0.1 * i)) - 0.4, 4) for i, name in enumerate(JOINTS)}
        joints["rail_joint"] = round(1.2 + 0.9 * math.sin(0.05 * phase), 4)
        joints["gripper_joint"] = round(0.02 + 0.02 * math.sin(phase), 4)
        content = {
            "ts": round(self._clock.now() * 1000.0),
            "joints": joints,
            "task": TASKS[(self._step // 10) % len(TASKS)] if moving else "",
            "picked": self._picked,
            "safety": self.safety,
            "berries": [
                {"id": 7, "stage": "ripe", "ripeness": 0.94, "box": [250, 190, 64, 72]},
                {"id": 8, "stage": "turning", "ripeness": 0.41, "box": [380, 240, 52, 58]},
            ],
        }
        self._device.live(content)

    def _send_video(self) -> None:
        if self._clock.monotonic() >= self._video_until:
            return
        self._frame += 1
        jpeg = self._settings.frames(self._frame)
        payload = struct.pack(">d", self._clock.now()) + jpeg
        self._client.publish(self._settings.address.topic(Kind.VIDEO), payload, qos=0)
