"""What can become of a candidate: a closed set of results, and the record of one outcome."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from robot.pick.target import Target


class PickResult(StrEnum):
    """Result of one candidate, tried or skipped. Nothing else may be reported."""

    OK = "ok"
    NOT_RIPE = "not_ripe"
    UNREACHABLE = "unreachable"
    IK_FAIL = "ik_fail"
    COLLISION_RISK = "collision_risk"
    LOST_TARGET = "lost_target"
    EMPTY_GRASP = "empty_grasp"
    SLIPPED = "slipped"
    MISSED_STEM = "missed_stem"
    TWO_STEMS = "two_stems"
    FORCE_LIMIT = "force_limit"
    TIMEOUT = "timeout"
    PROTECTIVE_STOP = "protective_stop"
    OPERATOR_ABORT = "operator_abort"
    PLACE_FAIL = "place_fail"


RETRY_FROM_ANOTHER_ANGLE = frozenset(
    {
        PickResult.UNREACHABLE,
        PickResult.IK_FAIL,
        PickResult.COLLISION_RISK,
        PickResult.LOST_TARGET,
        PickResult.EMPTY_GRASP,
        PickResult.SLIPPED,
        PickResult.MISSED_STEM,
        PickResult.TWO_STEMS,
        PickResult.FORCE_LIMIT,
        PickResult.TIMEOUT,
    }
)
"""Results after which a second attempt from another angle makes sense; the berry may still be there."""

CUT_OFF = frozenset({PickResult.OK, PickResult.PLACE_FAIL})
"""Results after which the berry does not hang there any more, in the punnet or not."""

ENDS_THE_SEGMENT = frozenset({PickResult.PROTECTIVE_STOP, PickResult.OPERATOR_ABORT})
"""Results after which nothing else is tried: a person acts first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one candidate.

    Attributes:
        at: instant of the decision, UTC epoch [s].
        attempt: how many attempts were made; 0 = skipped without one.
        seconds: from the start of the first attempt to the end [s].
        peak_force: largest measured pad force [N].
        mass: estimate from the size [kg].
        punnet: id of the punnet it was placed in; empty when not placed.
    """

    at: float
    target: Target
    result: PickResult
    attempt: int = 0
    seconds: float = 0.0
    peak_force: float = 0.0
    mass: float = 0.0
    punnet: str = ""
    detail: str = ""
