"""Is the berry in the jaws? Rules on what the gripper measures: opening and pad force."""

from __future__ import annotations

from dataclasses import dataclass

from robot.pick.result import PickResult
from robot.pick.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Grip:
    """What the gripper measures now: opening [m], mean pad force [N]."""

    opening: float
    force: float


NOTHING_BELOW = 0.007
"""Jaws closed further than this hold no berry [m]; the smallest marketable fruit is 18 mm wide, its tip less."""

NARROWEST, WIDEST = 0.78, 1.30
"""Plausible width between the pads as a share of the diameter seen. Of 527 grips on simulated fruit the 5 narrower
than 0.77 held it by one end and lost it after the cut, none of the others was narrower than 0.79."""

TWO_BERRIES = 0.034
"""Jaws that stop at less than this hold one berry [m]: half hidden fruit looks smaller than it is, two are wider."""

TOO_HARD = 2.0
"""Pads that press more than so many times what they were asked to are pushed by something else."""

HOLDING_FORCE = 0.12
"""Less force than this is no grip [N]: the noise of the finger's sensor is about a quarter of it."""

WIDTH_KEPT = 0.5
"""A berry may swing in the jaws and show them a narrower side, down to this share of the width first measured."""


def after_close(grip: Grip, target: Target, force_limit: float) -> PickResult:
    """Judge the closed jaws: `OK`, `EMPTY_GRASP`, `TWO_STEMS` (too wide for one berry) or `FORCE_LIMIT`."""
    if grip.force > TOO_HARD * force_limit:
        return PickResult.FORCE_LIMIT
    if grip.opening < max(NOTHING_BELOW, NARROWEST * target.diameter) or grip.force < HOLDING_FORCE:
        return PickResult.EMPTY_GRASP
    if grip.opening > max(TWO_BERRIES, WIDEST * target.diameter):
        return PickResult.TWO_STEMS
    return PickResult.OK


def holds(grip: Grip) -> bool:
    """Return whether something as wide as a berry is pressed between the pads."""
    return grip.opening > NOTHING_BELOW and grip.force >= HOLDING_FORCE


def still_held(grip: Grip, width: float) -> PickResult:
    """Judge the grip on the way: `OK` or `SLIPPED`. `width` is the opening measured after the jaws closed [m]."""
    if grip.opening < max(NOTHING_BELOW, WIDTH_KEPT * width) or grip.force < HOLDING_FORCE:
        return PickResult.SLIPPED
    return PickResult.OK


def touches_down(grip: Grip, width: float, force_limit: float) -> bool:
    """Return whether what is held presses on something: more force than the jaws give, or forced wider."""
    return grip.force > 1.5 * force_limit + HOLDING_FORCE or grip.opening > width + 0.004


def after_release(grip: Grip, width: float) -> PickResult:
    """Judge the opened jaws over the punnet: `OK` or `PLACE_FAIL` (they did not open or something still presses)."""
    if grip.opening < width + 0.002 or grip.force > HOLDING_FORCE:
        return PickResult.PLACE_FAIL
    return PickResult.OK
