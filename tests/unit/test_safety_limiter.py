"""The limiter accepts planned motion and lets nothing else through, whatever the stream of set points."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from robot.arms import load_arm
from robot.kinematics import solve, tool_position
from robot.motion import brake, joint_move, line_move
from robot.safety import Limiter, stop_position

ARM = load_arm("ur3e")
DT = 0.004
HOME = np.array([0.4, -1.5, -2.0, 1.5, 0.5, 1.5, 0.0])
AUTO = ARM.safety.tool_speed_auto


def limiter(q: np.ndarray = HOME) -> Limiter:
    made = Limiter(ARM, lambda x: tool_position(ARM, x), DT)
    made.rest_at(q)
    return made


def judge(made: Limiter, q: np.ndarray, v: np.ndarray | None = None, **options: object) -> str:
    return made.judge(q, np.zeros(7) if v is None else v, tool_speed=AUTO, **options)  # type: ignore[arg-type]


def shifted(joint: int, by: float) -> np.ndarray:
    q = HOME.copy()
    q[joint] += by
    return q


def ramp(
    q: np.ndarray, joint: int, *, acceleration: float, jerk: float, ticks: int, tool_speed: float = AUTO
) -> tuple[str, np.ndarray]:
    """Speed one joint up and return the first refusal and where it came."""
    made = limiter(q)
    v = a = 0.0
    q = q.copy()
    for _ in range(ticks):
        a = min(a + jerk * DT, acceleration)
        v += a * DT
        q = q.copy()
        q[joint] += v * DT
        wrong = made.judge(q, np.zeros(7), tool_speed=tool_speed)
        if wrong:
            return wrong, q
    return "", q


@pytest.mark.parametrize(
    "bad",
    [np.full(7, np.nan), np.full(7, np.inf), np.zeros(6), np.zeros((1, 7)), shifted(3, np.nan)],
)
def test_what_is_not_seven_finite_numbers_is_invalid(bad: np.ndarray) -> None:
    assert judge(limiter(), bad) == "command_invalid"
    assert judge(limiter(), HOME, bad) == "command_invalid"


def test_rest_is_accepted_for_ever() -> None:
    made = limiter()
    assert [judge(made, HOME) for _ in range(100)] == [""] * 100


@pytest.mark.parametrize("joint", range(7))
def test_a_jump_is_refused_on_every_joint(joint: int) -> None:
    assert judge(limiter(), shifted(joint, 0.1)) == "joint_speed"


@pytest.mark.parametrize("joint", range(7))
def test_a_feed_forward_above_the_limit_is_refused(joint: int) -> None:
    v = np.zeros(7)
    v[joint] = 1.02 * ARM.velocity[joint]
    assert judge(limiter(), HOME, v) == "joint_speed"


@pytest.mark.parametrize("joint", range(7))
def test_a_step_of_speed_is_refused_on_every_joint(joint: int) -> None:
    step = 1.2 * ARM.acceleration[joint] * DT * DT
    assert judge(limiter(), shifted(joint, step)) == "joint_acceleration"


@pytest.mark.parametrize("joint", range(7))
def test_a_step_of_acceleration_is_refused_unless_stopping(joint: int) -> None:
    step = 0.9 * ARM.acceleration[joint] * DT * DT
    assert judge(limiter(), shifted(joint, step)) == "joint_acceleration"
    assert judge(limiter(), shifted(joint, step), stopping=True) == ""


@pytest.mark.parametrize("joint", range(1, 7))
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_set_point_outside_the_joint_limits_is_refused(joint: int, side: float) -> None:
    q = HOME.copy()
    q[joint] = ARM.position_max[joint] if side > 0 else ARM.position_min[joint]
    made = limiter(q)
    q = q.copy()
    q[joint] += side * 2e-6
    assert judge(made, q) == "joint_limit"
    q[joint] += side * 0.0101
    assert judge(made, q, stopping=True) == "joint_limit"


@pytest.mark.parametrize("joint", range(7))
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_joint_that_was_brought_beyond_its_limit_by_hand_may_stand_there_and_come_back(
    joint: int, side: float
) -> None:
    outside = HOME.copy()
    outside[joint] = (ARM.position_max if side > 0 else ARM.position_min)[joint] + side * 0.3
    made = Limiter(ARM, lambda _: (0.4, 0.4, 0.9), DT)  # where the tool is does not matter here
    made.rest_at(outside)
    step = np.zeros(7)
    step[joint] = 1e-4 * side
    assert judge(made, outside) == ""
    assert judge(made, outside + step) == "joint_limit"
    assert judge(made, outside + step, stopping=True) == "joint_limit"
    assert judge(made, outside - 0.01 * step) == ""


def test_the_tool_speed_limit_is_the_states_and_never_above_the_files() -> None:
    move = joint_move(ARM, HOME, shifted(0, 0.8))
    peak = move.duration / 2
    for limit, wrong in ((AUTO, ""), (0.25, "tool_speed"), (99.0, "")):
        made = limiter()
        results = [made.judge(*move.sample(k * DT), tool_speed=limit) for k in range(1, int(peak / DT))]
        assert next((r for r in results if r), "") == wrong
    for limit in (AUTO, 99.0):  # the rail alone could be faster than the tool may be
        assert ramp(HOME, 0, acceleration=1.4, jerk=14.0, ticks=200, tool_speed=limit)[0] == "tool_speed"


def test_the_workspace_ends_with_a_refusal_before_the_wall_is_reached() -> None:
    down = np.eye(4)
    down[:3, :3] = np.stack([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]], axis=1)
    down[:3, 3] = [0.5, 0.30, 0.58]
    begin = solve(ARM, down, HOME)[0]
    down[2, 3] = 0.42
    move = line_move(ARM, begin, down)
    made = limiter(begin)
    ticks = range(1, int(move.duration / DT))
    k, wrong = next((k, wrong) for k in ticks if (wrong := judge(made, *move.sample(k * DT))))
    assert wrong in ("braking_distance", "workspace")
    last = (k - 1) * DT
    stop = brake(ARM, *move.sample(last), move.acceleration(last))
    lowest = min(tool_position(ARM, q)[2] for q in stop.positions)
    assert lowest > ARM.safety.workspace_min[2] - 2e-3
    assert lowest < 0.52  # not refused far from the wall either


def test_a_way_back_into_the_workspace_stays_open() -> None:
    q = HOME.copy()
    q[1:] = [-1.5, -2.9, 0.2, 0.5, 1.5, 0.0]
    tool = np.array(tool_position(ARM, q))
    assert np.any(tool < ARM.safety.workspace_min)
    made = limiter(q)
    inwards = q.copy()
    inwards[1] -= 0.8
    move = joint_move(ARM, q, inwards)
    assert {judge(made, *move.sample(k * DT)) for k in range(1, int(move.duration / DT) + 2)} == {""}


def test_the_rail_cannot_be_driven_so_fast_that_it_could_not_stop_before_its_end() -> None:
    begin = HOME.copy()
    begin[0] = 3.2
    wrong, q = ramp(begin, 0, acceleration=0.5, jerk=5.0, ticks=400)
    assert wrong == "braking_distance"
    assert 3.2 < q[0] < 3.4


def test_planned_motion_to_the_very_end_of_the_rail_is_accepted() -> None:
    goal = HOME.copy()
    goal[0] = 3.4
    begin = HOME.copy()
    begin[0] = 2.8
    move = joint_move(ARM, begin, goal)
    made = limiter(begin)
    assert {judge(made, *move.sample(k * DT)) for k in range(1, int(move.duration / DT) + 3)} == {""}


joints = st.tuples(st.floats(-0.5, 3.3), *[st.floats(-2.0, 2.0)] * 6).map(np.array)


@settings(max_examples=30, deadline=None)
@given(joints, joints)
def test_planned_motion_is_accepted_whole_inside_the_workspace(start: np.ndarray, goal: np.ndarray) -> None:
    move = joint_move(ARM, start, goal)
    made = limiter(start)
    for k in range(1, int(move.duration / DT) + 3):
        wrong = judge(made, *move.sample(k * DT))
        if wrong:
            assert wrong in ("workspace", "braking_distance")
            end = np.array([tool_position(ARM, move.sample(t)[0]) for t in np.linspace(k * DT, k * DT + 0.5, 20)])
            beyond = np.maximum(ARM.safety.workspace_min - end, end - ARM.safety.workspace_max)
            assert beyond.max() > -0.1  # refused only near the workspace's wall
            break


WRIST = 6  # turns the tool on the spot: nothing but its own limits is in its way
presses = st.tuples(
    st.integers(0, 6),
    st.sampled_from([0.01, 0.3, 1.0, 1.4]),  # jerk, as a share of the joint's
    st.sampled_from([0.9, 1.3]),  # acceleration that it ends at, likewise
    st.sampled_from([-1.0, 1.0]),
    st.integers(1, 120),
)
wild = st.one_of(st.floats(-0.02, 0.02), st.floats(-10, 10), st.just(float("nan")), st.just(float("inf")))


@settings(max_examples=25, deadline=None)
@given(st.lists(presses, max_size=4), st.booleans(), wild, st.integers(0, 6))
@example([(WRIST, 1.0, 0.9, 1.0, 120)], False, 0.0, 0)  # beyond its speed
@example([(WRIST, 1.0, 1.3, 1.0, 120)], False, 0.0, 0)  # beyond its acceleration
@example([(WRIST, 0.01, 0.9, 1.0, 120)], True, 0.0, 0)  # creeps over its end
@example([(0, 1.0, 0.9, 1.0, 120), (0, 1.4, 0.9, -1.0, 120)], False, float("nan"), 3)
def test_whatever_arrives_what_passes_obeys_the_limits_and_can_stop(
    pushed: list[tuple[int, float, float, float, int]], near_its_end: bool, leap: float, leaping: int
) -> None:
    """Somebody pushes joint after joint as far as it goes; each refusal is answered by the stop, which must pass."""
    begin = HOME.copy()
    if near_its_end:
        begin[WRIST] = ARM.position_max[WRIST] - 1e-4
    made, still = limiter(begin), np.zeros(7)
    passed = [(begin, False), (begin, False), (begin, False)]
    for joint, jerk, most, side, ticks in pushed:
        q, v, a = passed[-1][0], still.copy(), still.copy()
        for _ in range(ticks):
            a[joint] += side * jerk * ARM.jerk[joint] * DT
            a[joint] = np.clip(a[joint], -most * ARM.acceleration[joint], most * ARM.acceleration[joint])
            wrong = judge(made, q + (v + a * DT) * DT)
            if wrong:
                break
            v = v + a * DT
            q = q + v * DT
            passed.append((q, False))
        last = [row[0] for row in passed[-3:]]
        v, a = (last[2] - last[1]) / DT, (last[2] - 2.0 * last[1] + last[0]) / DT**2
        stop = brake(ARM, q, v, a)
        for k in range(1, int(stop.duration / DT) + 2):
            q = stop.sample(k * DT)[0]
            assert judge(made, q, stopping=True) == ""
            passed.append((q, True))
        passed += [(q, True)] * 2
        made.rest_at(q)
        thrown = q.copy()
        thrown[leaping] += leap
        if judge(made, thrown) == "":
            passed.append((thrown, False))
            made.rest_at(thrown)
            passed += [(thrown, True)] * 2
    q = np.array([row[0] for row in passed])
    v = np.diff(q, axis=0) / DT
    a = np.diff(v, axis=0) / DT
    planned = ~np.array([row[1] for row in passed])
    assert np.all(np.isfinite(q))
    assert np.all(np.abs(v[planned[1:]]) <= ARM.velocity * 1.011)
    assert np.all(np.abs(v) <= ARM.velocity * 1.15)
    assert np.all(np.abs(a[planned[2:]]) <= ARM.acceleration * 1.051)
    before = np.vstack([q[:1], q[:-1]])  # where a stop ended a little outside, it may stand or come back
    assert np.all((q >= np.minimum(before, ARM.position_min - 2e-6))[planned])
    assert np.all((q <= np.maximum(before, ARM.position_max + 2e-6))[planned])
    assert np.all(q >= ARM.position_min - 0.02)
    assert np.all(q <= ARM.position_max + 0.02)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=7, max_size=7))
def test_a_stop_keeps_its_own_limits_of_acceleration_and_jerk(state: list[tuple[float, float]]) -> None:
    v = np.array([s[0] for s in state]) * ARM.velocity
    a = np.array([s[1] for s in state]) * ARM.acceleration
    stop = brake(ARM, HOME, v, a)
    assert np.allclose(stop.positions[-1], stop_position(HOME, v, a, stop.duration))
    t = np.linspace(0.0, stop.duration, 400)
    q, dq, ddq = stop.sample_many(t)
    assert np.allclose(q[200:201], stop_position(HOME, v, a, stop.duration, t[200] / stop.duration))
    assert np.allclose(dq[[0, -1]], [v, np.zeros(7)], atol=1e-9)
    assert np.all(np.abs(ddq) <= 1.2 * ARM.acceleration * 1.01)
    assert np.all(np.abs(np.diff(ddq, axis=0)) <= 2.0 * ARM.jerk * stop.duration / 399 * 1.01)
    assert stop.duration < 1.2


def test_a_rejected_set_point_leaves_no_trace() -> None:
    made = limiter()
    assert judge(made, shifted(2, 0.5)) != ""
    assert judge(made, HOME) == ""
    assert made.tool_speed == 0.0


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_tool_outside_the_workspace_may_not_go_further_out(side: float) -> None:
    q = HOME.copy()
    q[1:] = [-1.5, -2.9, 0.2, 0.5, 1.5, 0.0]
    if side > 0.0:
        q[1:4] = [-1.5, -1.57, 0.0]
    tool = np.array(tool_position(ARM, q))
    assert np.any((tool < ARM.safety.workspace_min) if side < 0 else (tool > ARM.safety.workspace_max))
    out = q.copy()
    out[1] += 0.08
    out[2] += 0.3 if side < 0.0 else -0.02
    results = []
    for goal in (out, 2 * q - out):
        made, move = limiter(q), joint_move(ARM, q, goal)
        results.append(
            next((w for k in range(1, int(move.duration / DT)) if (w := judge(made, *move.sample(k * DT)))), "")
        )
    assert sorted(results)[0] == ""
    assert sorted(results)[1] in ("braking_distance", "workspace")
