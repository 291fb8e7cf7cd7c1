"""The handle of one trajectory under way, and the error of a request the loop refuses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
GOAL_TOLERANCE = np.array([0.004] + [0.02] * 6)  # [m, rad]
GOAL_TIME = 1.0  # after the trajectory's end, for the servos to settle [s]


class LoopError(Exception):
    """A request the loop refuses; nothing has moved. `code` is a fault key, or `busy`, `not_allowed`, `bad_start`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Motion:
    """One trajectory being followed.

    Attributes:
        done: it has ended and the set points are at rest.
        code: empty when it ended well; `canceled`, `path_tolerance`, `goal_tolerance` or the cause that stopped it.
        error: largest distance behind the set points so far, per joint [m, rad], shape (7,).
    """

    __slots__ = (
        "canceled",
        "code",
        "done",
        "error",
        "goal_time",
        "goal_tolerance",
        "path_tolerance",
        "settle_by",
        "when_done",
    )

    def __init__(self, *, path_tolerance: Array | None, goal_tolerance: Array | None, goal_time: float | None) -> None:
        self.done, self.code, self.canceled = False, "", False
        self.error = np.zeros(7)
        self.path_tolerance = path_tolerance
        self.goal_tolerance = GOAL_TOLERANCE if goal_tolerance is None else goal_tolerance
        self.goal_time = GOAL_TIME if goal_time is None else goal_time
        self.settle_by = float("inf")
        self.when_done: Callable[[], None] | None = None

    def cancel(self) -> None:
        """Ask for a stop along the path; `done` follows when the arm is at rest. No effect once done."""
        self.canceled = True

    def end(self, code: str = "") -> None:
        if not self.done:
            self.done = True
            self.code = self.code or code
            if self.when_done is not None:
                self.when_done()
