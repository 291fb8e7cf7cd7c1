"""Two robots on one rail before one bed side: the lease keeps them apart, also when one stops or its picker dies."""

from __future__ import annotations

import pytest

from robot.nodes.row_lease import EXPIRED
from robot.safety import State
from robot.span import extent
from sim.fast.pair import SharedRow, bed

SEED = 3
LIMIT = 200.0


@pytest.fixture
def row() -> SharedRow:
    return SharedRow(bed(3, 0), SEED)


def test_two_robots_harvest_one_bed_side_and_never_come_near_each_other(row: SharedRow) -> None:
    row.get_ready()
    began = row.time.monotonic()
    row.order()
    row.run(LIMIT)
    together = row.result()
    assert together.finished
    assert 0.0 < together.ready == began, "the way from a cold start to an order is told by itself"
    assert together.seconds == pytest.approx(row.time.monotonic() - began)
    assert sum(together.picked) == together.placed == together.ripe == 3
    assert together.overlaps == 0
    assert together.nearest > 0.02
    row.close()


def test_one_that_is_stopped_keeps_its_place_and_the_other_goes_on(row: SharedRow) -> None:
    row.order()
    row.run(LIMIT, until=lambda: row.rigs["left"].loop.moving)
    row.rigs["left"].loop.stop()
    row.run(LIMIT, until=lambda: row.done("right"))
    assert row.rigs["left"].loop.supervisor.state is State.PSTOP
    assert row.orders["right"].status == "done"
    together = row.result()
    assert (together.overlaps, together.nearest > 0.02) == (0, True)
    assert not row.done("left")
    row.rigs["left"].loop.reset()
    assert not row.rigs["left"].loop.start()
    row.run(LIMIT)
    assert row.result().finished, "after a reset the count goes on"
    assert sum(row.result().picked) == 3
    row.close()


def test_a_robot_whose_picker_dies_stops_and_keeps_no_more_than_where_it_stands(row: SharedRow) -> None:
    row.order()
    assert row.space is not None
    left = row.rigs["left"]
    row.run(LIMIT, until=lambda: left.loop.moving and row.space.stretch("left") is not None)
    before = row.space.stretch("left")
    left.picker.destroy_node()
    row.run(10.0, until=lambda: EXPIRED in left.loop.supervisor.causes)
    assert left.loop.supervisor.state is State.HOLD
    row.run(5.0, until=lambda: row.space.stretch("left") != before)
    stands = extent(row.arm, row.machines["left"].q)
    assert row.space.stretch("left") == pytest.approx(stands, abs=5e-3)
    assert not left.loop.start().startswith("the arm"), "it stands"
    assert left.loop.supervisor.state is State.HOLD, "without a lease nobody starts it"
    row.run(LIMIT, until=lambda: row.done("right"))
    together = row.result()
    assert row.orders["right"].status == "done"
    assert (together.overlaps, together.nearest > 0.02) == (0, True)
    row.close()


def test_who_needs_a_place_that_another_holds_waits_says_so_and_stays_out(row: SharedRow) -> None:
    assert row.space is not None
    row.order({"left": [4]})  # where the right one stands, which has nothing to do
    row.run(LIMIT, until=lambda: row.tasks.get("left") == "waiting_for_room")
    row.run(5.0, until=lambda: False)
    assert row.tasks["left"] == "waiting_for_room"
    assert row.result().overlaps == 0
    right = row.space.stretch("right")
    assert right is not None
    assert extent(row.arm, row.machines["left"].q)[1] < right[0]
    row.close()


def test_who_has_nothing_more_to_do_goes_out_of_the_way_of_who_has(row: SharedRow) -> None:
    assert row.space is not None
    row.order({"right": [4]})
    row.run(LIMIT, until=lambda: row.done("right"))
    row.order({"left": [4]})  # where the right one stands now
    row.run(LIMIT, until=lambda: row.done("left"))
    assert row.orders["left"].status == "done"
    together = row.result()
    assert (together.overlaps, together.nearest > 0.02, together.stops) == (0, True, ())
    row.close()


def test_two_that_want_each_others_place_both_get_it_in_turn() -> None:
    row = SharedRow(bed(10, 0), SEED)
    row.order({"left": [3], "right": [4]})
    row.run(LIMIT)
    together = row.result()
    assert together.finished, row.tasks
    assert (together.overlaps, together.nearest > 0.02, together.stops) == (0, True, ())
    assert together.outside < row.gap
    row.close()
