"""The control node on the in-process bus in virtual time, with the kinematic stand-in behind its loop."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from robot.arms import load_arm
from robot.hardware.fake import FakeHardware
from robot.kinematics import solve
from robot.loop import ControlLoop, LoopSettings
from robot.motion import Trajectory, joint_move
from robot.nodes import goal_reader
from robot.nodes.control import ControlNode, ControlSettings
from robot.nodes.convert import to_time, to_trajectory_goal
from robot.nodes.recorder import Aside, at_once
from robot.ros.action import ActionClient, GoalStatus
from robot.ros.context import Context
from robot.ros.interfaces import berry_msgs, control_msgs, diagnostic_msgs, sensor_msgs, std_msgs, std_srvs
from robot.ros.node import Node
from robot.ros.qos import DurabilityPolicy, QoSProfile
from robot.ros.transport.inprocess import InProcess
from sim.lockstep import Lockstep

ARM = load_arm("ur3e")
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
HOME = np.array([0.4, -1.5, -2.0, 1.5, 0.5, 1.5, 0.0])
LEVEL = np.stack([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]], axis=1)
Follow = control_msgs.action.FollowJointTrajectory


class World:
    """Loop, node and a client in one virtual time."""

    def __init__(self, *, required: tuple[str, ...] = (), blackbox: Path | None = None, aside: Aside = at_once) -> None:
        self.time = Lockstep(epoch=1_780_000_000.0)
        self.hardware = FakeHardware(ARM, self.time.monotonic, position=HOME)
        self.loop = ControlLoop(self.hardware, ARM, self.time, LoopSettings(required=required, local_reset=False))
        context = Context(transport=InProcess(self.time))
        settings = ControlSettings(namespace="/r1", blackbox=blackbox, aside=aside)
        self.node = ControlNode(context, self.time, settings, self.loop, ARM)
        self.client = Node("client", context=context, namespace="/r1")
        self.heard: dict[str, list[Any]] = {}
        self.arm = ActionClient(self.client, Follow, "arm_controller/follow_joint_trajectory")
        self.jaws = ActionClient(self.client, control_msgs.action.GripperCommand, "gripper_controller/gripper_cmd")
        self.loop.bring_up()
        self.time.every(0.004, self.loop.tick)
        self.run(0.1)

    def run(self, seconds: float) -> None:
        self.time.run(seconds=seconds)

    def listen(self, kind: Any, topic: str, qos: QoSProfile | int = 50) -> list[Any]:
        heard: list[Any] = []
        self.client.create_subscription(kind, topic, heard.append, qos)
        return heard

    def wait(self, future: Any, seconds: float = 20.0) -> Any:
        self.time.run(until=future.done, seconds=seconds)
        assert future.done(), f"nothing after {seconds} s of virtual time"
        return future.result()

    def trigger(self, name: str) -> Any:
        client = self.client.create_client(std_srvs.srv.Trigger, name)
        return self.wait(client.call_async(std_srvs.srv.Trigger.Request()))

    def send(self, client: ActionClient, goal: Any) -> Any:
        return self.wait(client.send_goal_async(goal))

    def result(self, client: ActionClient, goal: Any) -> tuple[GoalStatus, Any]:
        answer = self.wait(self.send(client, goal).get_result_async())
        return GoalStatus(answer.status), answer.result

    def follow(self, trajectory: Trajectory) -> tuple[GoalStatus, Any]:
        return self.result(self.arm, to_trajectory_goal(trajectory, ARM.joint_names))

    def move(self, rail: float = 0.2) -> Trajectory:
        goal = self.loop.set_point.copy()
        goal[0] += rail
        return joint_move(ARM, self.loop.set_point, goal)

    def grip(self, opening: float, force: float = 1.0) -> tuple[GoalStatus, Any]:
        goal = control_msgs.action.GripperCommand.Goal()
        goal.command.position, goal.command.max_effort = opening, force
        return self.result(self.jaws, goal)


@pytest.fixture
def world() -> World:
    made = World()
    assert made.trigger("safety/start").success
    return made


def test_joint_states_come_at_50_hz_measured_with_the_gripper_last(world: World) -> None:
    heard = world.listen(sensor_msgs.msg.JointState, "joint_states")
    world.run(1.0)
    assert len(heard) == pytest.approx(50, abs=1)
    message = heard[-1]
    assert list(message.name) == [*ARM.joint_names, "gripper_joint"]
    assert np.allclose(message.position[:7], HOME, atol=1e-6)
    assert message.position[7] == pytest.approx(ARM.tool.opening_max)
    at = message.header.stamp.sec + 1e-9 * message.header.stamp.nanosec
    assert world.time.now() - at < 0.03


def test_safety_state_is_latched_repeated_and_sent_at_once_on_a_change(world: World) -> None:
    heard = world.listen(berry_msgs.msg.SafetyState, "safety/state", LATCHED)
    world.run(0.01)
    assert [m.state for m in heard] == ["RUN"]
    world.run(2.0)
    assert len(heard) == pytest.approx(5, abs=1)
    world.trigger("safety/stop")
    assert heard[-1].state == "PSTOP"
    assert list(heard[-1].causes) == ["operator_stop"]
    assert heard[-1].needs_reset
    assert not heard[-1].motion_allowed


def test_nothing_moves_before_start() -> None:
    world = World()
    status, result = world.follow(world.move())
    assert status is GoalStatus.STATUS_ABORTED
    assert "not_allowed" in result.error_string
    assert np.allclose(world.loop.joints.position, HOME)


def test_a_trajectory_is_followed_to_its_goal(world: World) -> None:
    feedback: list[Any] = []
    goal = to_trajectory_goal(world.move(), ARM.joint_names)
    handle = world.wait(world.arm.send_goal_async(goal, feedback_callback=feedback.append))
    answer = world.wait(handle.get_result_async())
    assert GoalStatus(answer.status) is GoalStatus.STATUS_SUCCEEDED
    assert answer.result.error_code == Follow.Result.SUCCESSFUL
    assert world.loop.joints.position[0] == pytest.approx(HOME[0] + 0.2, abs=1e-3)
    assert len(feedback) > 3


def test_joints_may_come_in_any_order_and_velocities_may_be_missing(world: World) -> None:
    move = world.move()
    names = tuple(reversed(ARM.joint_names))
    turned = Trajectory(
        times=move.times,
        positions=move.positions[:, ::-1],
        velocities=move.velocities[:, ::-1],
        accelerations=move.accelerations[:, ::-1],
    )
    goal = to_trajectory_goal(turned, names)
    for p in goal.trajectory.points:
        p.velocities, p.accelerations = [], []
    goal.trajectory.points = goal.trajectory.points[::5] + goal.trajectory.points[-1:]
    status, result = world.result(world.arm, goal)
    assert (status, result.error_string) == (GoalStatus.STATUS_SUCCEEDED, "")


def broken(change: str, world: World) -> Any:
    goal = to_trajectory_goal(world.move(), ARM.joint_names)
    points = goal.trajectory.points
    match change:
        case "names":
            goal.trajectory.joint_names = ["a", *goal.trajectory.joint_names[1:]]
        case "no points":
            goal.trajectory.points = []
        case "nan":
            points[5].positions = [float("nan")] * 7
        case "many points":
            goal.trajectory.points = [points[0]] * 5001
        case "nan velocity":
            points[5].velocities = [float("nan")] * 7
        case "times":
            points[5].time_from_start = points[3].time_from_start
        case "width":
            points[5].positions = [0.0] * 6
        case "limits":
            points[-1].positions = [9.0] * 7
        case "jump":
            points[5].positions = (np.array(points[5].positions) + 0.1).tolist()
        case "elsewhere":
            for p in points:
                p.positions = (np.array(p.positions) + np.array([0, 0.2, 0, 0, 0, 0, 0])).tolist()
        case "old":
            goal.trajectory.header.stamp = to_time(world.time.now() - 60.0)
        case "later":
            goal.trajectory.header.stamp = to_time(world.time.now() + 60.0)
        case "moving end":
            goal.trajectory.points = points[: len(points) // 2]
        case "for ever":
            points[-1].time_from_start.sec = 2_000_000_000
        case "wild":
            points[5].accelerations = [1e300] * 7
        case "at once":
            points[1].time_from_start.nanosec, points[1].velocities = 1, []
            for p in points:
                p.velocities, p.accelerations = [], []
        case "tolerance":
            goal.path_tolerance = [control_msgs.msg.JointTolerance(name="knee", position=0.1)]
    return goal


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ("names", -2, "expected joints"),
        ("no points", -1, "1 to 5000 points, got 0"),
        ("many points", -1, "1 to 5000 points, got 5001"),
        ("nan", -1, "finite positions"),
        ("nan velocity", -1, "finite velocities"),
        ("times", -1, "increase"),
        ("width", -1, "expected 7 positions"),
        ("limits", -1, "expected position in"),
        ("jump", -1, "at most"),
        ("elsewhere", -1, "bad_start"),
        ("old", -3, "ended"),
        ("later", -1, "for now"),
        ("moving end", -1, "ends at rest"),
        ("for ever", -1, "at most 120 s, got 2e+09 s"),
        ("wild", -1, "accelerations of an arm, got 1e+300"),
        ("at once", -1, "at most"),
        ("tolerance", -2, "knee"),
    ],
)
def test_a_bad_goal_is_aborted_with_its_code_and_nothing_moves(world: World, change: str, code: int, text: str) -> None:
    status, result = world.result(world.arm, broken(change, world))
    assert status is GoalStatus.STATUS_ABORTED
    assert result.error_code == code
    assert text in result.error_string
    world.run(0.2)
    assert np.allclose(world.loop.joints.position, HOME, atol=1e-9)
    assert world.loop.supervisor.state == "RUN"


def test_a_trajectory_out_of_the_workspace_is_refused_before_it_begins(world: World) -> None:
    goal = HOME.copy()
    goal[1:4] = [-1.5, -1.57, 0.0]
    status, result = world.follow(joint_move(ARM, HOME, goal))
    assert status is GoalStatus.STATUS_ABORTED
    assert "workspace" in result.error_string


def dense(trajectory: Trajectory, points: int) -> Trajectory:
    """Return the same way with many more points."""
    times = np.linspace(0.0, trajectory.duration, points)
    positions, velocities, accelerations = trajectory.sample_many(times)
    return Trajectory(times=times, positions=positions, velocities=velocities, accelerations=accelerations)


def later() -> tuple[World, list[Callable[[], None]]]:
    """Return a started world in which what is done aside waits until somebody does it."""
    waiting: list[Callable[[], None]] = []
    world = World(aside=waiting.append)
    assert world.trigger("safety/start").success
    return world, waiting


def test_a_trajectory_of_many_points_is_looked_at_where_no_tick_waits_for_it() -> None:
    world, waiting = later()
    goal = dense(world.move(), 2000)
    handle = world.send(world.arm, to_trajectory_goal(goal, ARM.joint_names))
    world.run(0.5)
    assert len(waiting) == 1
    assert not world.loop.moving
    waiting.pop()()
    answer = world.wait(handle.get_result_async())
    assert answer.status == GoalStatus.STATUS_SUCCEEDED, answer.result.error_string
    assert np.allclose(world.loop.set_point, goal.positions[-1], atol=1e-6)
    status, _ = world.follow(world.move(-0.1))
    assert (status, waiting) == (GoalStatus.STATUS_SUCCEEDED, []), "a short one is looked at at once"


@pytest.mark.parametrize(("wrong", "text"), [(True, "velocity"), (False, "command_expired")])
def test_a_long_trajectory_that_is_wrong_or_took_too_long_to_look_at_moves_nothing(wrong: bool, text: str) -> None:
    world, waiting = later()
    goal = dense(world.move(), 2000)
    handle = world.send(world.arm, to_trajectory_goal(goal.slower(0.1) if wrong else goal, ARM.joint_names))
    world.run(0.1 if wrong else 3.0)
    waiting.pop()()
    answer = world.wait(handle.get_result_async())
    assert answer.status == GoalStatus.STATUS_ABORTED
    assert text in answer.result.error_string
    assert np.allclose(world.loop.set_point, HOME)


def test_a_long_trajectory_that_is_cancelled_while_it_is_looked_at_does_not_begin() -> None:
    world, waiting = later()
    handle = world.send(world.arm, to_trajectory_goal(dense(world.move(), 2000), ARM.joint_names))
    world.run(0.1)
    world.wait(handle.cancel_goal_async())
    waiting.pop()()
    answer = world.wait(handle.get_result_async())
    assert answer.status == GoalStatus.STATUS_CANCELED
    assert np.array_equal(world.loop.set_point, HOME)


@pytest.mark.parametrize("ways", [("safety/hold",), ("safety/stop", "safety/reset")])
def test_a_long_trajectory_of_before_a_stop_does_not_begin_at_the_start_after_it(ways: tuple[str, ...]) -> None:
    world, waiting = later()
    handle = world.send(world.arm, to_trajectory_goal(dense(world.move(), 2000), ARM.joint_names))
    world.run(0.1)
    for way in ways:
        assert world.trigger(way).success
        world.run(0.3)
    assert world.trigger("safety/start").success
    waiting.pop()()
    answer = world.wait(handle.get_result_async())
    assert answer.status == GoalStatus.STATUS_ABORTED
    assert "was stopped while" in answer.result.error_string
    world.run(0.5)
    assert np.array_equal(world.loop.set_point, HOME)


def test_a_long_trajectory_sent_before_the_start_is_refused_at_once() -> None:
    waiting: list[Callable[[], None]] = []
    world = World(aside=waiting.append)
    status, result = world.follow(dense(world.move(), 2000))
    assert (status, waiting) == (GoalStatus.STATUS_ABORTED, [])
    assert "not_allowed" in result.error_string


def test_one_long_trajectory_is_looked_at_at_a_time_and_the_next_after_it() -> None:
    world, waiting = later()
    first = world.send(world.arm, to_trajectory_goal(dense(world.move(), 2000), ARM.joint_names))
    world.run(0.1)
    status, result = world.follow(dense(world.move(), 300))
    assert status is GoalStatus.STATUS_ABORTED
    assert "busy" in result.error_string
    waiting.pop()()
    assert world.wait(first.get_result_async()).status == GoalStatus.STATUS_SUCCEEDED
    second = world.send(world.arm, to_trajectory_goal(dense(world.move(), 300), ARM.joint_names))
    world.run(0.1)
    waiting.pop()()
    assert world.wait(second.get_result_async()).status == GoalStatus.STATUS_SUCCEEDED


def test_a_goal_that_breaks_whoever_looks_at_it_is_answered_too(monkeypatch: pytest.MonkeyPatch) -> None:
    world, waiting = later()

    def breaks(*_: object) -> None:
        raise TypeError("not foreseen")

    monkeypatch.setattr(goal_reader, "read_goal", breaks)
    handle = world.send(world.arm, to_trajectory_goal(dense(world.move(), 2000), ARM.joint_names))
    world.run(0.1)
    waiting.pop()()
    assert world.wait(handle.get_result_async()).status == GoalStatus.STATUS_ABORTED
    monkeypatch.undo()
    status, _ = world.follow(world.move())
    assert status is GoalStatus.STATUS_SUCCEEDED


def test_a_second_goal_is_refused_while_one_is_under_way(world: World) -> None:
    first = world.send(world.arm, to_trajectory_goal(world.move(), ARM.joint_names))
    world.run(0.2)
    status, result = world.follow(world.move())
    assert status is GoalStatus.STATUS_ABORTED
    assert "busy" in result.error_string
    assert GoalStatus(world.wait(first.get_result_async()).status) is GoalStatus.STATUS_SUCCEEDED


def test_cancel_brakes_and_ends_the_goal_canceled_at_rest(world: World) -> None:
    handle = world.send(world.arm, to_trajectory_goal(world.move(0.6), ARM.joint_names))
    world.run(0.5)
    world.wait(handle.cancel_goal_async())
    answer = world.wait(handle.get_result_async())
    assert GoalStatus(answer.status) is GoalStatus.STATUS_CANCELED
    assert not world.loop.moving
    assert 0.4 < world.loop.joints.position[0] < 0.95
    status, _ = world.follow(world.move(-0.1))
    assert status is GoalStatus.STATUS_SUCCEEDED


def test_hold_aborts_the_goal_and_start_does_not_resume_it(world: World) -> None:
    handle = world.send(world.arm, to_trajectory_goal(world.move(0.6), ARM.joint_names))
    world.run(0.5)
    assert world.trigger("safety/hold").success
    answer = world.wait(handle.get_result_async())
    assert GoalStatus(answer.status) is GoalStatus.STATUS_ABORTED
    assert answer.result.error_string == "operator_hold"
    where = world.loop.set_point.copy()
    assert world.trigger("safety/start").success
    world.run(1.0)
    assert np.allclose(world.loop.set_point, where)


def test_stop_latches_until_reset_and_then_needs_a_start(world: World) -> None:
    assert world.trigger("safety/stop").success
    world.run(0.1)
    refused = world.trigger("safety/start")
    assert not refused.success
    assert "operator_stop" in refused.message
    assert world.trigger("safety/reset").success
    assert world.loop.supervisor.state == "READY"
    assert world.trigger("safety/start").success


def test_a_stuck_joint_violates_the_path_tolerance_that_was_asked_for(world: World) -> None:
    goal = to_trajectory_goal(world.move(0.6), ARM.joint_names)
    goal.path_tolerance = [control_msgs.msg.JointTolerance(name="rail_joint", position=0.005)]
    world.hardware.faults.stuck = (0,)
    status, result = world.result(world.arm, goal)
    assert status is GoalStatus.STATUS_ABORTED
    assert result.error_code == -4


def test_a_joint_that_stops_short_violates_the_goal_tolerance(world: World) -> None:
    goal = HOME.copy()
    goal[6] += 0.06
    world.hardware.faults.stuck = (6,)
    status, result = world.follow(joint_move(ARM, HOME, goal))
    assert status is GoalStatus.STATUS_ABORTED
    assert result.error_code == -5


def test_a_grip_ends_reached_or_stalled_with_what_was_measured(world: World) -> None:
    status, result = world.grip(0.02)
    assert (status, result.reached_goal, result.stalled) == (GoalStatus.STATUS_SUCCEEDED, True, False)
    assert result.position == pytest.approx(0.02, abs=2e-3)
    world.grip(0.06)
    world.hardware.held_width = 0.03
    status, result = world.grip(0.01, 0.8)
    assert (status, result.reached_goal, result.stalled) == (GoalStatus.STATUS_SUCCEEDED, False, True)
    assert result.effort == pytest.approx(0.8, abs=0.05)


def test_a_grip_can_be_cancelled_and_a_bad_one_is_aborted(world: World) -> None:
    goal = control_msgs.action.GripperCommand.Goal()
    goal.command.position, goal.command.max_effort = 0.0, 1.0
    handle = world.send(world.jaws, goal)
    world.run(0.1)
    world.wait(handle.cancel_goal_async())
    answer = world.wait(handle.get_result_async())
    assert GoalStatus(answer.status) is GoalStatus.STATUS_CANCELED
    world.run(0.5)
    assert 0.03 < world.loop.gripper.opening < 0.06
    assert world.grip(float("nan"))[0] is GoalStatus.STATUS_ABORTED


def test_the_blade_is_locked_until_fruit_is_held_at_the_crop_and_a_cut_ends_measured(world: World) -> None:
    refused = world.trigger("gripper_controller/cut")
    assert not refused.success
    assert "crop volume" in refused.message
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = LEVEL, [0.5, 0.5, 0.95]
    way = (joint_move(ARM, world.loop.set_point, q) for q in solve(ARM, pose, HOME))
    results = (world.follow(move) for move in way)
    assert next(r for r in results if r[0] is GoalStatus.STATUS_SUCCEEDED)
    assert "nothing is held" in world.trigger("gripper_controller/cut").message
    world.hardware.held_width = 0.03
    world.grip(0.01, 0.8)
    answer = world.trigger("gripper_controller/cut")
    assert answer.success
    assert "swept" in answer.message
    world.hardware.faults.blade_stuck = True
    answer = world.trigger("gripper_controller/cut")
    assert not answer.success
    assert answer.message == "gripper_jammed"


def test_a_silent_program_holds_the_robot_and_says_which() -> None:
    world = World(required=("eyes", "picker"))
    alive = {"eyes", "picker"}
    publisher = world.client.create_publisher(std_msgs.msg.Header, "heartbeat", 10)
    for name in sorted(alive):
        world.time.every(0.1, lambda name=name: name in alive and publisher.publish(std_msgs.msg.Header(frame_id=name)))
    assert not world.trigger("safety/start").success
    world.run(0.3)
    assert world.trigger("safety/start").success
    handle = world.send(world.arm, to_trajectory_goal(world.move(0.8), ARM.joint_names))
    alive.discard("eyes")
    answer = world.wait(handle.get_result_async())
    assert answer.result.error_string == "eyes_lost"
    assert world.loop.supervisor.state == "HOLD"
    alive.add("eyes")
    world.run(0.3)
    assert world.loop.supervisor.causes == ()
    assert world.loop.supervisor.state == "HOLD"
    assert world.trigger("safety/start").success


def test_diagnostics_say_state_and_counts_once_a_second(world: World) -> None:
    heard = world.listen(diagnostic_msgs.msg.DiagnosticArray, "diagnostics")
    world.run(3.0)
    assert len(heard) == 3
    status = heard[-1].status[0]
    assert status.message == "RUN"
    assert {pair.key for pair in status.values} == {"ticks", "late", "rejected", "stops", "blackbox"}
    world.trigger("safety/stop")
    world.run(1.1)
    assert heard[-1].status[0].message == "PSTOP operator_stop"
    assert int.from_bytes(heard[-1].status[0].level, "little") == 2


def test_a_latched_stop_leaves_a_black_box(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    world = World(blackbox=tmp_path)
    world.trigger("safety/start")
    world.send(world.arm, to_trajectory_goal(world.move(0.6), ARM.joint_names))
    world.run(0.5)
    with caplog.at_level(logging.WARNING):
        world.trigger("safety/stop")
        world.run(3.0)
    files = list(tmp_path.glob("blackbox-*.npz"))
    assert len(files) == 1
    with np.load(files[0]) as box:
        assert box["command"].shape[1] == 7
        assert box["time"].shape[0] > 100
        assert any("PSTOP" in text for text in box["change"])
    assert "operator_stop" in caplog.text


def test_a_black_box_is_written_aside_as_it_was_at_the_stop(tmp_path: Path) -> None:
    """Packing takes longer than many ticks: a loop that waited for it would be late and stop once more."""
    works: list[Callable[[], None]] = []
    world = World(blackbox=tmp_path / "new", aside=works.append)
    world.trigger("safety/stop")
    world.run(1.1)
    assert len(works) == 1
    assert not (tmp_path / "new").exists()
    written = world.time.monotonic()
    world.run(2.0)
    works[0]()
    files = list((tmp_path / "new").iterdir())
    assert [file.suffix for file in files] == [".npz"]
    with np.load(files[0]) as box:
        assert box["time"].max() <= written
        assert box["change"][-1] == "PSTOP operator_stop"
    world.run(2.0)
    assert len(works) == 1, "one stop, one record"


def test_a_full_disk_is_told_and_the_robot_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    world = World(blackbox=tmp_path)
    heard = world.listen(diagnostic_msgs.msg.DiagnosticArray, "diagnostics")
    monkeypatch.setattr(np, "savez_compressed", full)
    world.trigger("safety/stop")
    with caplog.at_level(logging.ERROR):
        world.run(2.1)
    assert list(tmp_path.iterdir()) == []
    assert "No space left on device" in caplog.text
    told = {value.key: value.value for value in heard[-1].status[0].values}
    assert "No space left on device" in told["blackbox"]
    monkeypatch.undo()
    assert world.trigger("safety/reset").success
    assert world.trigger("safety/start").success
    world.trigger("safety/stop")
    world.run(2.1)
    assert len(list(tmp_path.glob("blackbox-*.npz"))) == 1
    told = {value.key: value.value for value in heard[-1].status[0].values}
    assert told["blackbox"] == "ok"


def test_the_button_at_the_machine_answers_a_stop_over_its_topic() -> None:
    world = World()
    button = world.client.create_publisher(std_msgs.msg.Bool, "safety/reset_button", 5)
    assert world.trigger("safety/stop").success
    world.run(0.1)
    for pressed, state in ((True, "PSTOP"), (False, "PSTOP"), (True, "READY")):  # held since before: no edge
        button.publish(std_msgs.msg.Bool(data=pressed))
        world.run(0.1)
        assert str(world.loop.supervisor.state) == state
