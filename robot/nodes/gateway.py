"""The gateway: the only place where ROS becomes MQTT and back. Commands in, events, data, state and live views out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from robot.arms import ArmDescription
from robot.arms.urdf import to_urdf
from robot.nodes.convert import LATCHED, NEWEST, RELIABLE, to_time
from robot.nodes.gateway_live import LiveSettings, Seen, Show
from robot.nodes.gateway_outcomes import Outcomes
from robot.nodes.gateway_texts import finite, read_harvest, reason_key
from robot.nodes.heartbeat import Heartbeat
from robot.ros.client import Client as ServiceClient
from robot.ros.context import Context
from robot.ros.interfaces import berry_msgs, sensor_msgs, std_msgs, std_srvs
from robot.ros.node import Node
from robot.ros.task import Future
from telemetry.clock import Clock
from telemetry.messages import AckStatus, Command, MetricInfo
from telemetry.messages.tables import faults
from telemetry.mqtt import Client
from telemetry.mqtt.commands import CommandInbox, Reply
from telemetry.mqtt.device import Address, DevicePublisher, Identity
from telemetry.mqtt.outbox import Outbox

log = logging.getLogger(__name__)

METRICS: dict[str, MetricInfo] = {
    "rail_position": MetricInfo(unit="m", minimum=-10.0, maximum=500.0, interval=10.0),
    "picked_total": MetricInfo(unit="1", minimum=0.0, maximum=1e9, interval=10.0),
    "placed_total": MetricInfo(unit="1", minimum=0.0, maximum=1e9, interval=10.0),
    "attempted_total": MetricInfo(unit="1", minimum=0.0, maximum=1e9, interval=10.0),
    "seconds_per_berry": MetricInfo(unit="s", minimum=0.0, maximum=600.0, interval=10.0),
    "peak_force": MetricInfo(unit="N", minimum=0.0, maximum=50.0, interval=10.0),
    "vision_latency": MetricInfo(unit="s", minimum=0.0, maximum=60.0, interval=10.0),
}
TRIGGERS = {"stop": "safety/stop", "hold": "safety/hold", "resume": "safety/start", "reset": "safety/reset"}
CARE = {"cleaned": "care/cleaned", "blade_changed": "care/blade_changed"}
"""Commands that are one call of a service, of the control loop or of the mission."""
CAMERA_LOST = "camera_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """Settings of the gateway.

    Attributes:
        boot: id of this start; numbers of messages count from 0 within it.
        interval: between two sets of metrics [s].
        live: how often viewers are served.
        capacity: of a punnet; full ones are closed. None = what the arm's file says.
    """

    namespace: str = "/robot"
    address: Address
    boot: str
    firmware: str = "0.1.0"
    interval: float = 10.0
    live: LiveSettings = field(default_factory=LiveSettings)
    capacity: int | None = None


class GatewayNode(Node):
    """Stands on both wires. The MQTT client and the outbox are handed in and belong to their owner.

    Args:
        outbox: what the farm has not confirmed; without one it is kept in memory.
    """

    def __init__(
        self,
        context: Context,
        clock: Clock,
        settings: GatewaySettings,
        mqtt: Client,
        arm: ArmDescription,
        *,
        outbox: Outbox | None = None,
    ) -> None:
        super().__init__("gateway", context=context, namespace=settings.namespace)
        self._settings = settings
        urdf = to_urdf(arm)
        identity = Identity(
            boot=settings.boot,
            model=f"berrybrain {arm.name}",
            firmware=settings.firmware,
            metrics=METRICS,
            description={"urdf": urdf},
        )
        outbox = Outbox(":memory:") if outbox is None else outbox
        self._device = DevicePublisher(mqtt, settings.address, clock, identity, outbox=outbox)
        self._seen = Seen()
        self._faults = frozenset(faults())
        self._orders: dict[str, Reply] = {}
        self._submit = self.create_client(berry_msgs.srv.SubmitOrder, "orders/submit")
        self._triggers = {
            name: self.create_client(std_srvs.srv.Trigger, topic) for name, topic in (TRIGGERS | CARE).items()
        }
        handlers = {"harvest": self._on_harvest, "watch": self._on_watch}
        handlers |= dict.fromkeys(self._triggers, self._on_trigger)
        self.create_subscription(berry_msgs.msg.PickOutcome, "picks", self._on_pick, RELIABLE)
        self._outcomes = Outcomes(
            self,
            clock,
            device=self._device,
            outbox=outbox,
            capacity=arm.punnet.capacity if settings.capacity is None else settings.capacity,
            order_told=self._on_order_told,
        )
        self.create_subscription(berry_msgs.msg.MissionState, "mission/state", self._on_mission, LATCHED)
        self.create_subscription(berry_msgs.msg.SafetyState, "safety/state", self._on_safety, LATCHED)
        self.create_subscription(berry_msgs.msg.BerryArray, "berries", self._on_berries, NEWEST)
        show = self._show = Show(self, clock, arm, self._device, seen=self._seen, settings=settings.live)
        self.create_subscription(sensor_msgs.msg.JointState, "joint_states", show.on_joints, NEWEST)
        self._description = self.create_publisher(std_msgs.msg.String, "robot_description", LATCHED)
        self._description.publish(std_msgs.msg.String(data=urdf))
        self._inbox = CommandInbox(mqtt, settings.address, clock, handlers)
        self.create_timer(settings.interval, self._send_metrics)
        self.heartbeat = Heartbeat(self, clock)

    def close(self) -> None:
        """Close the punnet in use and say offline."""
        self._outcomes.close_punnet()
        self._device.close()

    # Commands

    def _on_harvest(self, command: Command, reply: Reply) -> None:
        try:
            fields = read_harvest(command.arguments)
        except ValueError as error:
            reply(AckStatus.REJECTED, f"order_invalid: {error}")
            return
        request = berry_msgs.srv.SubmitOrder.Request(
            id=command.id, issuer=command.issuer, expires_at=to_time(command.expires_at), **fields
        )
        if not self._submit.service_is_ready():
            reply(AckStatus.REJECTED, "mission_lost")
            return
        self._orders[command.id] = reply
        self._submit.call_async(request).add_done_callback(lambda done: self._on_submitted(command.id, reply, done))

    def _on_submitted(self, order_id: str, reply: Reply, future: Future[Any]) -> None:
        answer: Any = future.result()
        reply(AckStatus(answer.status), answer.reason)
        if answer.status != "accepted":
            self._orders.pop(order_id, None)

    def _on_trigger(self, command: Command, reply: Reply) -> None:
        client: ServiceClient = self._triggers[command.command]
        if not client.service_is_ready():
            reply(AckStatus.REJECTED, "mission_lost" if command.command in CARE else "control_lost")
            return

        def answered(future: Future[Any]) -> None:
            answer: Any = future.result()
            status = AckStatus.DONE if answer.success else AckStatus.FAILED
            reply(status, "" if answer.success else reason_key(answer.message, self._faults))

        client.call_async(std_srvs.srv.Trigger.Request()).add_done_callback(answered)

    def _on_watch(self, command: Command, reply: Reply) -> None:
        try:
            self._show.watch(command.arguments)
        except ValueError as error:
            reply(AckStatus.REJECTED, str(error))
            return
        reply(AckStatus.DONE, "")

    # What the robot says

    def _on_pick(self, message: Any) -> None:
        if message.attempt > 0:
            self._seen.peak_force = float(message.peak_force)
        if message.punnet:
            self._seen.seconds = float(message.seconds)

    def _on_order_told(self, data: dict[str, Any]) -> None:
        if data["status"] == "started":
            return
        if data["fault"] == CAMERA_LOST:  # there is no picture by which the eyes could tell
            self._see(CAMERA_LOST)
        reply = self._orders.pop(data["order_id"], None)
        status = AckStatus.DONE if data["status"] == "done" else AckStatus.FAILED
        if reply is not None:
            reply(status, data["fault"])
        else:  # the order was taken before this gateway was started
            self._inbox.reply(data["order_id"], status, data["fault"])

    def _on_mission(self, message: Any) -> None:
        due = set(message.due)
        for fault in sorted(due ^ self._seen.due):
            self._tell("fault", {"fault": fault, "active": fault in due})
        self._seen.mission, self._seen.due = message, due
        self._send_state()

    def _on_safety(self, message: Any) -> None:
        self._seen.safety = message
        causes = set(message.causes)
        for fault in sorted(causes ^ self._seen.faults):
            self._tell("fault", {"fault": fault, "active": fault in causes})
        self._seen.faults = causes
        self._send_state()

    def _on_berries(self, message: Any) -> None:
        self._seen.berries = message
        self._seen.latency = float(message.latency)
        self._see("" if message.image_ok else message.fault)

    def _see(self, blind: str) -> None:
        """Tell the farm when the camera can be trusted no longer, and when it can be again."""
        before, self._seen.blind = self._seen.blind, blind
        for fault, active in ((before, False), (blind, True)):
            if fault and before != blind:
                log.warning("eyes: %s %s", fault, "began" if active else "is over")
                self._tell("fault", {"fault": fault, "active": active})

    # What the farm hears

    def _tell(self, type: str, data: Mapping[str, Any], *, at: float | None = None) -> None:
        self._device.event(type, finite(data), at=at)

    def _send_state(self) -> None:
        mission, safety = self._seen.mission, self._seen.safety
        status = mission.state if mission is not None else "idle"
        fault = mission.fault if mission is not None else ""
        detail: dict[str, Any] = {}
        if mission is not None:
            detail |= {name: getattr(mission, name) for name in ("order_id", "bed", "side", "segment", "queued")}
            detail["due"] = list(mission.due)
        if safety is not None:
            detail |= {"safety": safety.state, "causes": list(safety.causes), "needs_reset": bool(safety.needs_reset)}
        self._device.state(status, fault=fault, detail=detail)

    def _send_metrics(self) -> None:
        metrics: dict[str, float] = {}
        seen = self._seen
        if seen.joints is not None and len(seen.joints.position):
            metrics["rail_position"] = round(float(seen.joints.position[0]), 4)
        if seen.mission is not None:
            for name in ("picked", "placed", "attempted"):
                metrics[f"{name}_total"] = float(getattr(seen.mission, name))
        for name, value in (("seconds_per_berry", seen.seconds), ("peak_force", seen.peak_force)):
            if value > 0.0:
                metrics[name] = round(value, 3)
        if seen.latency > 0.0:
            metrics["vision_latency"] = round(seen.latency, 4)
        metrics = finite(metrics)
        if metrics:
            self._device.data(metrics)
