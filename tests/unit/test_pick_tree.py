"""The picking tree against a fake robot, in counted time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from py_trees.common import Status

from pick_fakes import HOLD, PSTOP, RUN, FakeAction, FakeBody, berry, make_round, run
from robot.pick.grip_leaves import Close
from robot.pick.result import PickResult
from robot.pick.round import Attempt
from robot.pick.verify import Grip


def results(round_: Any) -> dict[int, str]:
    return {o.target.id: str(o.result) for o in round_.outcomes}


def test_two_ripe_berries_are_picked_and_placed_in_one_punnet() -> None:
    body = FakeBody([berry(1, 0.0), berry(2, 0.2)])
    round_ = make_round(body)
    run(round_, body)
    assert results(round_) == {1: "ok", 2: "ok"}
    assert [o.punnet for o in round_.outcomes] == ["p1", "p1"]
    assert round_.punnet.count == 2
    assert round_.counted["in_window"] == 2
    assert [o.attempt for o in round_.outcomes] == [1, 1]


def test_the_steps_of_one_pick_come_in_order() -> None:
    body = FakeBody([berry(1, 0.0)])
    round_ = make_round(body)
    run(round_, body)
    pick = body.log[body.log.index("open") - 1 :]
    expected = ["move", "open", "look", "move", "close", "cut", "move", "open"]
    assert pick[: len(expected)] == expected
    assert pick[len(expected) :] == ["move", "look"]  # the second view, once all that the first one showed is picked


def test_green_fruit_is_left_and_nearly_ripe_fruit_is_reported_as_not_ripe() -> None:
    body = FakeBody([berry(1, 0.0, ripeness=0.0, stage="green"), berry(2, 0.2, ripeness=0.7, stage="turning")])
    round_ = make_round(body)
    run(round_, body)
    assert results(round_) == {2: "not_ripe"}
    assert round_.outcomes[0].attempt == 0
    assert "close" not in body.log


def test_a_berry_out_of_reach_is_skipped_with_the_reason_and_without_an_attempt() -> None:
    body = FakeBody([berry(1, 0.0)], unreachable=lambda pose: pose[1, 3] > 0.35)
    round_ = make_round(body)
    run(round_, body)
    assert results(round_) == {1: "unreachable"}
    assert round_.outcomes[0].attempt == 0


def test_an_empty_grasp_is_tried_once_more_from_another_angle_then_skipped() -> None:
    body = FakeBody([berry(1, 0.0)], closes_to=lambda _: Grip(opening=0.001, force=0.0))
    round_ = make_round(body)
    run(round_, body)
    assert results(round_) == {1: "empty_grasp"}
    assert round_.outcomes[0].attempt == 2
    assert body.log.count("close") == 2
    assert body.log.count("cut") == 0


def test_a_second_attempt_that_works_counts_as_ok_with_two_attempts() -> None:
    grips = [Grip(opening=0.001, force=0.0), Grip(opening=0.027, force=0.7)]
    body = FakeBody([berry(1, 0.0)], closes_to=lambda _: grips.pop(0))
    round_ = make_round(body)
    run(round_, body)
    assert results(round_) == {1: "ok"}
    assert round_.outcomes[0].attempt == 2


def test_a_berry_that_falls_while_it_is_carried_is_reported_as_slipped() -> None:
    body = FakeBody([berry(1, 0.0)])
    round_ = make_round(body)

    def drop(_: int) -> None:
        if round_.task == "place":
            body.measured = Grip(opening=0.0, force=0.0)

    run(round_, body, each=drop)
    assert results(round_) == {1: "slipped"}


def test_a_berry_that_still_hangs_after_the_cut_was_a_missed_stem() -> None:
    body = FakeBody([berry(1, 0.0)])
    round_ = make_round(body)
    hanging = list(body.crop)

    def stem_holds(_: int) -> None:
        body.crop = list(hanging)
        if round_.task == "place":
            body.measured = Grip(opening=0.0, force=0.0)

    run(round_, body, each=stem_holds)
    assert results(round_) == {1: "missed_stem"}
    assert body.log.count("cut") == 2


def test_a_berry_that_is_gone_at_the_second_look_is_lost() -> None:
    body = FakeBody([replace(berry(1, 0.0), score=0.7)])
    round_ = make_round(body)

    def steal(_: int) -> None:
        if round_.task == "travel":
            body.crop = []

    run(round_, body, each=steal)
    assert results(round_) == {1: "lost_target"}


def test_a_berry_that_only_a_look_from_another_side_shows_is_picked_at_the_first_attempt() -> None:
    body = FakeBody([replace(berry(1, 0.0), score=0.7)])
    round_ = make_round(body)
    hidden = list(body.crop)

    def leaf(_: int) -> None:
        body.crop = [] if round_.current is not None and round_.current.looks == 0 else hidden

    run(round_, body, each=leaf)
    assert [(o.result, o.attempt) for o in round_.outcomes] == [(PickResult.OK, 1)]


def test_fruit_that_only_a_look_at_another_one_shows_is_picked_too() -> None:
    body = FakeBody([berry(1, 0.0)])
    round_ = make_round(body)

    def behind_a_leaf(_: int) -> None:
        seen = [berry(2, 0.3)] if round_.current is not None or round_.crop.get(2) else []
        body.crop = [b for b in body.crop if b.id == 1] + seen

    run(round_, body, each=behind_a_leaf)
    assert results(round_) == {1: "ok", 2: "ok"}


def test_fruit_that_was_seen_well_once_is_reached_for_through_the_leaf_that_hides_it_from_both_sides() -> None:
    body = FakeBody([berry(1, 0.0)])
    round_ = make_round(body)
    there = body.crop[0]

    def leaf(_: int) -> None:
        hidden = round_.task in ("travel", "look_again")
        body.crop = [] if hidden or round_.picked else [there]

    run(round_, body, each=leaf)
    assert [(o.result, o.attempt) for o in round_.outcomes] == [(PickResult.OK, 1)]


def test_jaws_that_closed_on_nothing_come_out_closed() -> None:
    body = FakeBody([berry(1, 0.0)], closes_to=lambda _: Grip(opening=0.0, force=0.0))
    run(make_round(body), body)
    after = [body.log[k + 1] for k, entry in enumerate(body.log[:-1]) if entry == "close"]
    assert after and set(after) == {"move"}


def test_jaws_that_let_go_in_the_crop_open_no_wider_than_they_came_in() -> None:
    body = FakeBody([berry(1, 0.0)], closes_to=lambda _: Grip(opening=0.055, force=0.8))
    round_ = make_round(body)
    openings: list[float] = []

    def note(_: int) -> None:
        if round_.task == "recover" and body.log[-1] == "open":
            openings.append(body.measured.opening)

    run(round_, body, each=note)
    assert openings and max(openings) < round_.tool.opening_max


def test_a_picture_that_is_too_old_is_never_approached_on() -> None:
    body = FakeBody([berry(1, 0.0)], look_delay=0.32)
    round_ = make_round(body)
    run(round_, body)
    assert "close" not in body.log
    assert results(round_) == {1: "timeout"}


def test_hold_pauses_the_pick_and_it_goes_on_afterwards() -> None:
    body = FakeBody([berry(1, 0.0)])
    round_ = make_round(body)

    def hold(n: int) -> None:
        body.view = HOLD if 10 <= n < 700 else RUN

    ticks = run(round_, body, each=hold)
    assert ticks > 700
    assert results(round_) == {1: "ok"}
    assert round_.outcomes[0].attempt == 1


def test_a_protective_stop_ends_the_segment_and_keeps_the_count() -> None:
    body = FakeBody([berry(1, 0.0), berry(2, 0.2)])
    round_ = make_round(body)

    def stop(_: int) -> None:
        if len(round_.outcomes) == 1 and round_.task == "approach":
            body.view = PSTOP

    run(round_, body, each=stop)
    assert sorted(results(round_).values()) == ["ok", "protective_stop"]
    assert round_.stopped is PickResult.PROTECTIVE_STOP
    assert "tracking_error" in round_.outcomes[1].detail


def test_the_quota_ends_the_segment() -> None:
    body = FakeBody([berry(1, 0.0), berry(2, 0.2), berry(3, 0.4)])
    round_ = make_round(body, quota=2)
    run(round_, body)
    assert sum(o.result is PickResult.OK for o in round_.outcomes) == 2


def test_a_motion_that_fails_without_a_stop_ends_in_a_reported_timeout() -> None:
    body = FakeBody([berry(1, 0.0)])
    round_ = make_round(body)

    def jam(_: int) -> None:
        body.move_error = "goal tolerance violated" if round_.task == "look_again" else ""

    run(round_, body, each=jam)
    assert results(round_)[1] in ("timeout", "ok")


def test_a_carry_that_is_aborted_once_goes_on_from_where_the_tool_is() -> None:
    body = FakeBody([berry(1, 0.0)])
    round_ = make_round(body)

    def abort(_: int) -> None:
        body.move_error = "goal tolerance" if body.log[-1:] == ["cut"] else ""

    run(round_, body, each=abort)
    cut = body.log.index("cut")
    assert body.log[cut : cut + 4] == ["cut", "move", "move", "open"]
    assert [(o.result, o.attempt, o.punnet) for o in round_.outcomes] == [(PickResult.OK, 1, "p1")]


def test_fruit_that_was_cut_is_not_let_go_where_there_is_no_straight_way_back() -> None:
    body = FakeBody([berry(1, 0.0)])
    round_ = make_round(body)
    shape = round_.punnet.pattern.shape
    body.unreachable = lambda goal: "cut" in body.log and float(goal[1, 3]) > shape.position[1] + 0.5 * shape.inner[1]
    run(round_, body)
    assert [(o.result, o.attempt, o.punnet) for o in round_.outcomes] == [(PickResult.OK, 1, "p1")]
    cut = body.log.index("cut")
    assert body.log[cut : cut + 3] == ["cut", "move", "open"]


def test_the_jaws_go_in_as_wide_as_the_look_from_near_by_asks_for() -> None:
    body = FakeBody([berry(1, 0.0)])
    round_ = make_round(body)
    wider = replace(body.crop[0], diameter=0.032)
    openings: list[float] = []
    as_it_is = body.grip_to

    def grip_to(opening: float, force: float) -> Any:
        openings.append(opening)
        return as_it_is(opening, force)

    def near(_: int) -> None:
        if round_.task == "travel":
            body.crop = [wider]

    body.grip_to = grip_to
    run(round_, body, each=near)
    assert openings[:3] == [pytest.approx(0.028 + 0.024), pytest.approx(0.032 + 0.024), 0.0]


def test_jaws_that_press_too_hard_open_again_at_once() -> None:
    body = FakeBody([berry(1, 0.0)], closes_to=lambda _: Grip(opening=0.03, force=4.0))
    round_ = make_round(body)
    leaf = Close("close", round_, 3.0)
    round_.current = Attempt(target=body.crop[0], number=1)
    leaf.initialise()
    assert leaf.update() is Status.FAILURE
    assert round_.attempt.result is PickResult.FORCE_LIMIT
    assert leaf.action is not None
    assert not leaf.action.done


def test_fruit_that_is_let_go_over_the_punnet_after_a_failed_carry_is_counted_there() -> None:
    body = FakeBody([berry(1, 0.0)])
    round_ = make_round(body)
    inside = body.pose.copy()
    inside[:3, 3] = round_.punnet.pattern.shape.position + np.array([0.0, 0.0, 0.05])

    def jam(_: int) -> None:
        stuck = "cut" in body.log and "open" not in body.log[body.log.index("cut") :]
        body.move_error = "goal tolerance" if stuck else ""
        body.pose = inside if stuck else body.pose

    run(round_, body, each=jam)
    assert [(o.result, o.attempt, o.punnet) for o in round_.outcomes] == [(PickResult.OK, 1, "p1")]
    assert round_.outcomes[0].detail.startswith("timeout on the way")
    assert (round_.punnet.count, round_.picked) == (1, 1)


def test_fruit_that_is_just_inside_the_window_is_left_to_ripen() -> None:
    body = FakeBody([berry(1, 0.0, ripeness=0.81), berry(2, 0.2, ripeness=0.83)])
    round_ = make_round(body)
    run(round_, body)
    assert results(round_) == {1: "not_ripe", 2: "ok"}


def test_an_unripe_berry_seen_from_near_by_is_not_touched() -> None:
    body = FakeBody([berry(1, 0.0)])
    round_ = make_round(body)

    def pale(_: int) -> None:
        if round_.task == "travel":
            body.crop = [berry(1, 0.0, ripeness=0.5, stage="turning")]

    run(round_, body, each=pale)
    assert results(round_) == {1: "not_ripe"}
    assert "close" not in body.log


def test_the_tool_ends_over_the_punnet_after_a_pick() -> None:
    body = FakeBody([berry(1, 0.0)])
    round_ = make_round(body)
    run(round_, body)
    punnet = round_.punnet.pattern.shape
    assert np.all(np.abs(body.pose[:2, 3] - punnet.position[:2]) < punnet.inner[:2])


@pytest.mark.parametrize("name", [r.value for r in PickResult])
def test_every_result_is_one_of_the_message(name: str) -> None:
    text = (Path(__file__).parents[2] / "robot/msg/berry_msgs/msg/PickOutcome.msg").read_text()
    assert name in text.split("result")[1].split("#")[1].split("\n")[0].split()


def test_what_the_first_view_shows_is_picked_before_the_robot_goes_on_to_the_next() -> None:
    body = FakeBody([berry(1, 0.02), berry(2, 0.25)])
    round_ = make_round(body)
    run(round_, body)
    assert [o.target.id for o in round_.outcomes] == [1, 2]
    assert body.log.index("cut") < [i for i, what in enumerate(body.log) if what == "look"][2]
    assert round_.counted["ripe"] == round_.counted["in_window"] == 2


def test_fruit_that_is_still_in_the_jaws_when_a_harvest_begins_is_laid_down_and_counted() -> None:
    body = FakeBody([])
    body.measured = Grip(opening=0.027, force=0.9)
    round_ = make_round(body)
    round_.punnet.held = berry(7, 0.1)
    run(round_, body)
    assert body.log[:2] == ["move", "open"]
    assert [(o.result, o.punnet) for o in round_.outcomes] == [(PickResult.OK, "p1")]
    assert (round_.punnet.count, round_.picked) == (1, 1)


class Jaws(FakeBody):
    """Jaws let go only of what they open wider than, and not at all where they jam."""

    jam = False

    def grip_to(self, opening: float, force: float) -> FakeAction:
        if self.jam or opening < self.measured.opening + 0.002:
            return FakeAction(self)
        return super().grip_to(opening, force)


@pytest.mark.parametrize(("jam", "counted"), [(False, 1), (True, 0)])
def test_fruit_that_a_stop_left_over_the_punnet_is_let_go_there_and_counted_only_then(jam: bool, counted: int) -> None:
    body = Jaws([], unreachable=lambda _: True)
    body.jam, body.measured = jam, Grip(opening=0.032, force=0.8)
    round_ = make_round(body)
    round_.views, round_.punnet.held = [], berry(7, 0.1)
    body.pose = body.pose.copy()
    body.pose[:3, 3] = round_.punnet.pattern.shape.position + np.array([0.0, 0.0, 0.05])
    run(round_, body)
    assert (round_.punnet.count, round_.picked) == (counted, counted)
    assert (body.measured.force > 0.0) is jam


def test_what_slips_out_of_the_jaws_on_the_way_back_is_reported_and_the_harvest_goes_on() -> None:
    body = FakeBody([berry(1, 0.0)])
    body.measured = Grip(opening=0.027, force=0.9)
    round_ = make_round(body)
    round_.punnet.held = berry(7, 0.1)

    def slips(n: int) -> None:
        if n == 3:
            body.measured = Grip(opening=0.0, force=0.0)

    run(round_, body, each=slips)
    assert [o.result for o in round_.outcomes] == [PickResult.SLIPPED, PickResult.OK]


def test_a_stop_with_fruit_in_the_jaws_is_remembered_for_the_next_harvest() -> None:
    body = FakeBody([berry(1, 0.0)])
    round_ = make_round(body)

    def stop(_: int) -> None:
        if round_.task == "place":
            body.view = PSTOP

    run(round_, body, each=stop)
    assert results(round_) == {1: "protective_stop"}
    assert round_.punnet.held is not None
    assert round_.punnet.held.id == 1
