"""The control loop on the wire: joint states, safety state and requests; the loop itself is ticked by the runner."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from robot.arms import ArmDescription
from robot.gripper import Grip
from robot.hardware import HardwareError
from robot.loop import ControlLoop, LoopError, Motion
from robot.nodes.convert import LATCHED, RELIABLE, header
from robot.nodes.goal_reader import GoalReader
from robot.nodes.goals import ErrorCode, GoalError
from robot.nodes.recorder import Aside, Recorder, at_once
from robot.nodes.row_lease import RowFence
from robot.ros.action import ActionServer, CancelResponse, ServerGoalHandle
from robot.ros.callback_groups import ReentrantCallbackGroup
from robot.ros.context import Context
from robot.ros.interfaces import berry_msgs, control_msgs, diagnostic_msgs, sensor_msgs, std_msgs, std_srvs
from robot.ros.node import Node
from robot.ros.task import Future
from telemetry.clock import Clock

log = logging.getLogger(__name__)

STATE_PERIOD = 0.02  # joint states [s]
SAFETY_PERIOD = 0.5  # safety state without a change [s]
FEEDBACK_PERIOD = 0.1  # of a trajectory under way [s]
CODES = {"path_tolerance": ErrorCode.PATH_TOLERANCE_VIOLATED, "goal_tolerance": ErrorCode.GOAL_TOLERANCE_VIOLATED}


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlSettings:
    """Settings of the control node.

    Attributes:
        namespace: of the robot.
        blackbox: folder where the loop's last seconds are written after a stop; None = nowhere.
        aside: where that is done, and long trajectories are looked at; at once, unless ticks must not wait for it.
        row: namespace of the row that it shares with other machines; empty = it has the row to itself.
    """

    namespace: str = "/robot"
    blackbox: Path | None = None
    aside: Aside = at_once
    row: str = ""


class ControlNode(Node):
    """Serves one control loop. Whoever runs it calls `loop.tick()` at the loop's rate in the same thread."""

    def __init__(
        self, context: Context, clock: Clock, settings: ControlSettings, loop: ControlLoop, arm: ArmDescription
    ) -> None:
        super().__init__("control", context=context, namespace=settings.namespace)
        self._clock_source, self._loop, self._arm = clock, loop, arm
        self._motions: dict[bytes, Motion] = {}
        self._grips: dict[bytes, Grip] = {}
        self._changes = -1
        self._safety_at = float("-inf")
        self._joints = self.create_publisher(sensor_msgs.msg.JointState, "joint_states", RELIABLE)
        self._safety = self.create_publisher(berry_msgs.msg.SafetyState, "safety/state", LATCHED)
        self._diagnostics = self.create_publisher(diagnostic_msgs.msg.DiagnosticArray, "diagnostics", RELIABLE)
        self.create_subscription(std_msgs.msg.Header, "heartbeat", lambda m: loop.heartbeat(m.frame_id), RELIABLE)
        self._follow = ActionServer(
            self,
            control_msgs.action.FollowJointTrajectory,
            "arm_controller/follow_joint_trajectory",
            self._on_trajectory,
            cancel_callback=lambda handle: self._on_cancel(self._motions, handle),
        )
        self._gripper = ActionServer(
            self,
            control_msgs.action.GripperCommand,
            "gripper_controller/gripper_cmd",
            self._on_grip,
            cancel_callback=lambda handle: self._on_cancel(self._grips, handle),
        )
        for name, request in (
            ("safety/start", loop.start),
            ("safety/hold", loop.hold),
            ("safety/stop", loop.stop),
            ("safety/reset", loop.reset),
        ):
            self.create_service(std_srvs.srv.Trigger, name, self._answer(name, request))
        self.create_subscription(std_msgs.msg.Bool, "safety/reset_button", self._on_reset_button, RELIABLE)
        group = ReentrantCallbackGroup()  # a cut takes its time, meanwhile the node goes on
        self.create_service(std_srvs.srv.Trigger, "gripper_controller/cut", self._on_cut, callback_group=group)
        self.create_timer(STATE_PERIOD, self._publish_state)
        self.create_timer(FEEDBACK_PERIOD, self._publish_feedback)
        self.create_timer(1.0, self._publish_diagnostics)
        self._handles: dict[bytes, ServerGoalHandle] = {}
        self._reader = GoalReader(loop, arm, clock, settings.aside, self.create_future)
        self._recorder = Recorder(loop, arm, clock, settings.blackbox, settings.aside)
        self.fence = RowFence(self, clock, settings.row, loop, arm) if settings.row else None

    # Topics

    def _publish_state(self) -> None:
        self._publish_safety()
        joints, gripper = self._loop.joints, self._loop.gripper
        if not np.isfinite(joints.stamp):
            return
        now = self._clock_source.now()
        at = now - (self._clock_source.monotonic() - joints.stamp)
        self._joints.publish(
            sensor_msgs.msg.JointState(
                header=header(at, ""),
                name=[*self._arm.joint_names, "gripper_joint"],
                position=[*joints.position.tolist(), gripper.opening],
                velocity=[*joints.velocity.tolist(), gripper.opening_velocity],
                effort=[*joints.effort.tolist(), gripper.force],
            )
        )

    def _publish_safety(self) -> None:
        supervisor, now = self._loop.supervisor, self._clock_source.monotonic()
        changed = supervisor.changes != self._changes
        if not changed and now - self._safety_at < SAFETY_PERIOD:
            return
        if changed:
            log.info("safety state %s, causes %s", supervisor.state, list(supervisor.causes))
        self._changes, self._safety_at = supervisor.changes, now
        self._safety.publish(
            berry_msgs.msg.SafetyState(
                header=header(self._clock_source.now(), ""),
                state=str(supervisor.state),
                causes=list(supervisor.causes),
                motion_allowed=supervisor.motion_allowed,
                needs_reset=supervisor.needs_reset,
            )
        )

    def _publish_feedback(self) -> None:
        for key, handle in self._handles.items():
            motion = self._motions.get(key)
            if motion is None:
                continue
            desired, measured = self._loop.set_point, self._loop.joints.position
            feedback = control_msgs.action.FollowJointTrajectory.Feedback(joint_names=list(self._arm.joint_names))
            feedback.header = header(self._clock_source.now(), "")
            feedback.desired.positions = desired.tolist()
            feedback.actual.positions = measured.tolist()
            feedback.error.positions = (desired - measured).tolist()
            handle.publish_feedback(feedback)

    def _publish_diagnostics(self) -> None:
        self._recorder.look()
        loop, kind = self._loop, diagnostic_msgs.msg.DiagnosticStatus
        state, causes = loop.supervisor.state, loop.supervisor.causes
        level = kind.ERROR if loop.supervisor.needs_reset else kind.WARN if causes else kind.OK
        stats = loop.stats
        counts = {"ticks": stats.ticks, "late": stats.late, "rejected": stats.rejected, "stops": stats.stops}
        values = {**counts, "blackbox": self._recorder.error or "ok"}
        status = kind(
            level=level,
            name="control loop",
            message=f"{state} {' '.join(causes)}".strip(),
            hardware_id=loop.capabilities.name,
            values=[diagnostic_msgs.msg.KeyValue(key=key, value=str(value)) for key, value in values.items()],
        )
        now = self._clock_source.now()
        self._diagnostics.publish(diagnostic_msgs.msg.DiagnosticArray(header=header(now, ""), status=[status]))

    # Requests

    def _answer(self, name: str, request: Callable[[], str | None]) -> Callable[[Any, Any], Any]:
        def respond(_: Any, response: Any) -> Any:
            try:
                reason = request() or ""
            except HardwareError as error:
                reason = str(error)
            response.success, response.message = not reason, reason
            log.info("%s: %s", name, reason or "done")
            self._publish_safety()
            return response

        return respond

    def _on_reset_button(self, message: Any) -> None:
        """Take the level of the button at the machine, from whatever reads it."""
        try:
            reason = self._loop.reset_button(bool(message.data))
        except HardwareError as error:
            reason = str(error)
        if reason:
            log.warning("the reset button was pressed: %s", reason)
        self._publish_safety()

    async def _on_cut(self, _: Any, response: Any) -> Any:
        try:
            cut = self._loop.cut()
        except LoopError as error:
            response.success, response.message = False, str(error)
            return response
        done: Future[None] = self.create_future()
        cut.when_done = lambda: done.set_result(None)
        await done
        response.success = not cut.code
        response.message = cut.code or f"the blade swept out and back in {cut.seconds:.2f} s"
        return response

    async def _on_trajectory(self, handle: ServerGoalHandle) -> Any:
        result = control_msgs.action.FollowJointTrajectory.Result()
        try:
            motion = await self._reader.begin(handle)
        except (GoalError, LoopError) as error:
            log.warning("refused a trajectory: %s", error)
            if handle.is_cancel_requested:
                handle.canceled()
                return result
            result.error_code = int(error.code if isinstance(error, GoalError) else ErrorCode.INVALID_GOAL)
            result.error_string = str(error)
            handle.abort()
            return result
        await self._until_done(handle, self._motions, motion)
        if motion.code == "canceled" and handle.is_cancel_requested:
            handle.canceled()
        elif motion.code:
            result.error_code = int(CODES.get(motion.code, ErrorCode.PATH_TOLERANCE_VIOLATED))
            result.error_string = motion.code
            handle.abort()
        else:
            handle.succeed()
        return result

    async def _on_grip(self, handle: ServerGoalHandle) -> Any:
        command = handle.request.command
        result = control_msgs.action.GripperCommand.Result()
        try:
            grip = self._loop.grip(command.position, command.max_effort)
        except LoopError as error:
            log.warning("refused a grip: %s", error)
            handle.abort()
            return result
        await self._until_done(handle, self._grips, grip)
        result.position, result.effort = self._loop.gripper.opening, self._loop.gripper.force
        result.stalled, result.reached_goal = grip.stalled, grip.reached
        if grip.code == "canceled" and handle.is_cancel_requested:
            handle.canceled()
        elif grip.code:
            log.warning("a grip ended: %s", grip.code)
            handle.abort()
        else:
            handle.succeed()
        return result

    async def _until_done(self, handle: ServerGoalHandle, under_way: dict[bytes, Any], request: Any) -> None:
        """Wait for a motion or grip; a cancellation reaches it through `under_way`."""
        key = handle.goal_id.uuid.tobytes()
        under_way[key], self._handles[key] = request, handle
        if handle.is_cancel_requested:
            request.cancel()
        done: Future[None] = self.create_future()
        request.when_done = lambda: done.set_result(None)
        await done
        del under_way[key], self._handles[key]

    def _on_cancel(self, under_way: dict[bytes, Any], handle: ServerGoalHandle) -> CancelResponse:
        request = under_way.get(handle.goal_id.uuid.tobytes())
        if request is not None:
            request.cancel()
        return CancelResponse.ACCEPT
