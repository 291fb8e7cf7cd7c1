"""From stored values to findings: limits with delay and hysteresis, changes within a window, quality flags."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from telemetry.brain.alarm_rules import FLAGS, LIMITS, FlagRule, Latch, Rule
from telemetry.brain.alarms import Condition, Finding
from telemetry.messages.tables import metrics
from telemetry.store import Quality, Samples, Series, Store

OLD_S = 3600.0
"""Values older than this say nothing about now: a file that is replayed raises no alarm [s]."""
MS = 1e-3
"""Times are kept in whole milliseconds [s]."""
BAD = int(Quality.RANGE | Quality.RATE | Quality.STUCK)


class Values:
    """Watches every series of a site.

    Args:
        standing: conditions whose alarms stand already, after a restart.
        limits, flags: the tables of rules.
    """

    def __init__(
        self,
        site: str,
        standing: Iterable[Condition],
        *,
        limits: Sequence[Rule] = LIMITS,
        flags: Sequence[FlagRule] = FLAGS,
    ) -> None:
        self._site = site
        self._standing = set(standing)
        self._limits, self._flags = limits, flags
        self._series: dict[Series, _Watched] = {}

    def update(self, store: Store, now: float) -> list[Finding]:
        """Return what the points stored since the last call change, oldest first."""
        findings: list[Finding] = []
        for series, point in store.last().items():
            if series.site != self._site or now - point.at > OLD_S:
                continue
            watched = self._series.get(series)
            if watched is None:
                watched = self._series[series] = _Watched(series, self._limits, self._flags, self._standing)
                # Delays outlive a restart: what was before it is looked at again, and only where it ends counts.
                samples = store.read(series, point.at - watched.memory, point.at + MS)
                changes = {finding.condition: finding for finding in watched.take(samples)}
                findings += [f for c, f in changes.items() if f.active != (c in self._standing)]
            elif point.at > watched.seen_at:
                findings += watched.take(store.read(series, watched.seen_at + MS, point.at + MS))
        return sorted(findings, key=lambda finding: finding.at)


class _Watched:
    """One series under its rules."""

    def __init__(
        self, series: Series, limits: Sequence[Rule], flags: Sequence[FlagRule], standing: set[Condition]
    ) -> None:
        def latch(fault: str) -> tuple[Condition, Latch]:
            condition = Condition(fault, series.zone, series.device, series.metric)
            return condition, Latch(active=condition in standing)

        table = metrics()
        self._unit = table[series.metric].unit if series.metric in table else ""
        self._limits = [(rule, *latch(rule.fault)) for rule in limits if rule.metric == series.metric]
        self._flags = [(rule, *latch(rule.fault)) for rule in flags]
        self._window: deque[tuple[float, float]] = deque()
        self._longest = max((rule.window for rule, _, _ in self._limits), default=0.0)
        self.memory = max(
            [rule.memory for rule, _, _ in self._limits] + [rule.release for rule, _, _ in self._flags], default=0.0
        )
        self.seen_at = -math.inf

    def take(self, samples: Samples) -> Iterator[Finding]:
        """Yield each change of an alarm."""
        for at, value, quality in zip(
            samples.at.tolist(), samples.value.tolist(), samples.quality.tolist(), strict=True
        ):
            self.seen_at = max(self.seen_at, at)
            yield from self._by_flag(at, value, quality)
            if not quality & BAD:
                yield from self._by_limit(at, value)

    def _by_flag(self, at: float, value: float, quality: int) -> Iterator[Finding]:
        for rule, condition, latch in self._flags:
            before = latch.active
            bad = bool(quality & int(rule.flag))
            if latch.step(bad, at, delay=0.0, release=rule.release) != before:
                args = {"metric": condition.metric, "value": value, "unit": self._unit}
                yield Finding(condition=condition, active=latch.active, at=at, args=args)

    def _by_limit(self, at: float, value: float) -> Iterator[Finding]:
        if self._longest > 0.0:
            self._window.append((at, value))
            while self._window[0][0] < at - self._longest:
                self._window.popleft()
        for rule, condition, latch in self._limits:
            judged = self._change(rule, at, value) if rule.is_rate else value
            before = latch.active
            bad = None if judged is None else rule.judge(judged)
            if latch.step(bad, at, delay=rule.delay, release=rule.release) != before:
                args = {"metric": condition.metric, "value": judged, "limit": rule.limit, "unit": self._unit}
                args |= {"side": str(rule.side), "seconds": rule.window if rule.is_rate else rule.delay}
                yield Finding(condition=condition, active=latch.active, at=at, args=args)

    def _change(self, rule: Rule, at: float, value: float) -> float | None:
        """Return the change within the rule's window; None while less than half of it is known."""
        first_at, first = next(((a, v) for a, v in self._window if a >= at - rule.window), (at, value))
        return value - first if at - first_at >= 0.5 * rule.window else None
