"""Whether programs had to wait for a processor: tells a computer that is too busy from a program that hangs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

EVERY, SPAN = 0.5, 5.0
"""Between two looks; what is told is of the last seconds [s]."""

MUCH = 0.2
"""A smaller share of the time is no reason for anything."""

LATE = frozenset({"loop_overrun", "hardware_lost", "heartbeat_lost", "command_expired"})
"""Causes that a busy computer brings about, besides those of a silent program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Starved:
    """The program that waited longest, and the share of the time in which it wanted a processor and had none, 0-1."""

    name: str
    share: float

    def lines(self) -> tuple[str, str]:
        """Return it for an operator, in English and Chinese."""
        percent = round(100.0 * self.share)
        return (
            f"{self.name} had no processor for {percent} % of the last {SPAN:.0f} s: "
            "this computer is too busy, or too small",
            f"过去 {SPAN:.0f} 秒中，{self.name} 有 {percent} % 的时间等不到处理器：电脑过忙或性能不足",
        )


def waited(pid: int) -> float | None:
    """Return how long a program's first thread has waited for a processor so far [s]; None when nobody tells.

    The second number of /proc/PID/schedstat (Linux, Documentation/scheduler/sched-stats.rst).
    """
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) * 1e-9
    except (OSError, ValueError, IndexError):
        return None


class Waiting:
    """Looks now and then how long programs have waited.

    Args:
        pids: of the programs now, by name.
        monotonic: [s].
        read: as `waited`.
    """

    def __init__(
        self,
        pids: Callable[[], Mapping[str, int]],
        monotonic: Callable[[], float],
        read: Callable[[int], float | None] = waited,
    ) -> None:
        self._pids, self._monotonic, self._read = pids, monotonic, read
        self._looks: deque[tuple[float, dict[tuple[str, int], float]]] = deque()

    def look(self) -> None:
        """Take note, if it is time."""
        now = self._monotonic()
        if self._looks and now - self._looks[-1][0] < EVERY:
            return
        found = {(name, pid): self._read(pid) for name, pid in self._pids().items()}
        self._looks.append((now, {key: value for key, value in found.items() if value is not None}))
        while now - self._looks[0][0] > SPAN + EVERY:
            self._looks.popleft()

    def worst(self) -> Starved | None:
        """Return the program that waited most of late; None when none waited much."""
        if len(self._looks) < 2:
            return None
        (begun, before), (ended, after) = self._looks[0], self._looks[-1]
        shares = [
            Starved(name=key[0], share=min(1.0, (value - before[key]) / (ended - begun)))
            for key, value in after.items()
            if key in before
        ]
        found = max(shares, key=lambda one: one.share, default=None)
        return found if found is not None and found.share >= MUCH else None


def late(causes: list[str]) -> bool:
    """Tell whether a stop may be a busy computer's doing."""
    return any(cause in LATE or cause.endswith("_lost") for cause in causes)
