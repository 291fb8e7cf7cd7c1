"""Lines of other software as measurements of the farm: which series a field is, what is refused and why.

site: the tag `site`, else the bucket (`farm`, the site's id or none: the farm itself). zone: the tag `zone`, else the
measurement. device: the tag `device`, else `host`, else the measurement; all other tags are added to it as
`,key=value`, so that no two series of a sender become one. metric: the field where the farm knows a metric of that
name; the measurement for a field `value`; else `measurement.field`. Lines as `telemetry.store.influx` writes them are
taken as what they were.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from telemetry.ingest.intake import Intake
from telemetry.messages import Data, Event, Kind, Payload, Topic
from telemetry.messages.fields import EARLIEST_MS, MessageError, Reason
from telemetry.messages.tables import metrics
from telemetry.messages.wire import UNNUMBERED
from telemetry.store.influx import FIELDS, MEASUREMENT
from telemetry.store.journal import Batch, DeadLetter
from telemetry.store.line_protocol import Line, LineError, write_line

OWN = ("", "farm")
"""Buckets that are the farm itself, beside the site's id."""
NOTES = FIELDS[1:]
"""What another farm of ours says beside a value; arrival and quality are judged anew."""
LONGEST = 512
"""Most characters of a name."""
LATE_S = 120.0
EXACT = 2**53
"""Up to here a 64-bit float holds every whole number."""
TEXT = "text"
"""Type of the event that keeps a line's texts."""
NS = 1_000_000
"""Of a millisecond."""
PROBLEMS = 5
SHOWN = 120
REASONS = {"timestamp": Reason.BAD_TIMESTAMP, "not UTF-8": Reason.NOT_UTF8}
"""Of a line that is none, by what its problem says."""


@dataclass(slots=True)
class Taken:
    """What became of the lines of one request; `problems`: the first few, for whoever sent them."""

    lines: int = 0
    dropped: int = 0
    problems: list[str] = field(default_factory=list)


class LinePoints:
    """Turns lines into batches of the store.

    Args:
        intake: flags values and limits new series, as for messages; used for nothing else.
        site: id of the farm's site.
    """

    def __init__(self, intake: Intake, site: str) -> None:
        self._intake = intake
        self._site = site
        self._known = metrics()

    def site_of(self, bucket: str) -> str:
        """Return the site that a bucket stands for."""
        return self._site if bucket in OWN else bucket

    def take(  # noqa: PLR0917
        self,
        items: Iterable[Line | LineError],
        site: str,
        source: str,
        now: float,
        taken: Taken,
        only: str | None = None,
    ) -> Batch:
        """Return what to commit, and count in `taken`.

        Args:
            site: of lines that name none.
            source: what refused lines are listed under.
            now: when they arrived [UTC epoch s].
            only: the one site that may be written; None = any.
        """
        dead: list[DeadLetter] = []
        seen: dict[tuple[str, tuple[tuple[str, str], ...], int], int] = {}
        count = 0

        def refuse(reason: Reason, problem: str, text: bytes) -> None:
            taken.dropped += 1
            if len(taken.problems) < PROBLEMS:
                taken.problems.append(f"unable to parse '{text[:SHOWN].decode(errors='replace')}': {problem}")
            letter = DeadLetter(
                topic=source, payload=text, size=len(text), reason=reason.value, detail=problem[:500], at=now
            )
            dead.append(letter)

        for item in items:
            count += 1
            if isinstance(item, LineError):
                reason = next((why for word, why in REASONS.items() if word in item.problem), Reason.BAD_VALUE)
                refuse(reason, f"{item.problem} (line {item.line})", item.text)
                continue
            refused: list[MessageError] = []
            try:
                _apart(item, seen)
                self._intake.accept(self._messages(item, site, now, only, refused), now)
            except MessageError as error:
                refused.append(error)
            for why in refused:
                refuse(why.code, why.detail, _text(item))
        taken.lines += count
        batch = replace(self._intake.batch(count), dead_letters=dead)
        self._intake.clear()
        return batch

    def _messages(
        self, line: Line, site: str, now: float, only: str | None, refused: list[MessageError]
    ) -> list[tuple[Topic, Payload]]:
        """Return a line as messages of a device; single fields that cannot be kept are refused.

        Raises:
            MessageError: the whole line cannot be kept.
        """
        tags = dict(line.tags)
        own = tags.pop("metric", "") if line.measurement == MEASUREMENT else ""
        place = tags.pop("site", site)
        if only is not None and place != only:
            raise MessageError(Reason.BAD_TOPIC, f"the token may write site {only!r} only, not {place!r}")
        zone = tags.pop("zone", "" if own else line.measurement)
        device = tags.pop("device", None) or tags.pop("host", None) or line.measurement
        device += "".join(f",{_plain(key)}={_plain(value)}" for key, value in sorted(tags.items()))
        if max(map(len, (place, zone, device, line.measurement))) > LONGEST:
            raise MessageError(Reason.TOO_LARGE, f"names: expected at most {LONGEST} characters together with tags")
        at = line.at_ns // NS / 1000.0
        if at * 1000.0 < EARLIEST_MS:
            raise MessageError(
                Reason.BAD_TIMESTAMP, f"expected a time since 2000, got {at:.0f} s after 1970; is the precision right?"
            )
        numbers, texts = {}, {}
        for key, value in line.fields.items():
            if own and key in NOTES:
                continue
            if isinstance(value, str):
                texts[key] = value
            elif isinstance(value, int) and abs(value) > EXACT:
                problem = f"{key}: expected a whole number within 2^53, which is kept exactly, got {value}"
                refused.append(MessageError(Reason.BAD_VALUE, problem))
            elif len(key) > LONGEST:
                refused.append(MessageError(Reason.TOO_LARGE, f"field: expected at most {LONGEST} characters"))
            else:
                numbers[own or self._metric(line.measurement, key)] = float(value)
        found: list[tuple[Topic, Payload]] = []
        if numbers:
            topic = Topic(site=place, zone=zone, device=device, kind=Kind.DATA)
            late = now - at > LATE_S
            found.append((topic, Data(at=at, seq=0, boot=UNNUMBERED, metrics=numbers, historical=late)))
        if texts:
            topic = Topic(site=place, zone=zone, device=device, kind=Kind.EVENT)
            found.append((topic, _event(line.measurement, at, texts)))
        return found

    def _metric(self, measurement: str, key: str) -> str:
        if key in self._known:
            return key
        return measurement if key == "value" else f"{measurement}.{key}"


def _apart(line: Line, seen: dict[tuple[str, tuple[tuple[str, str], ...], int], int]) -> None:
    """Refuse a point that would fall on another one: times are kept to the millisecond, never merged silently.

    Raises:
        MessageError: another point of these lines and this series is less than a millisecond away.
    """
    if line.at_ns % NS and seen.setdefault((line.measurement, line.tags, line.at_ns // NS), line.at_ns) != line.at_ns:
        raise MessageError(Reason.BAD_TIMESTAMP, "times are kept to the millisecond, and another point has this one")


def _event(measurement: str, at: float, texts: Mapping[str, str]) -> Event:
    """Return an event that is the same one when the line comes again."""
    name = hashlib.sha256("\0".join([measurement, *sorted(texts)]).encode()).hexdigest()[:16]
    data = {"measurement": measurement, "fields": texts}
    return Event(at=at, seq=round(at * 1000.0), boot=f"line-{name}", type=TEXT, data=data)


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")


def _text(line: Line) -> bytes:
    try:
        return write_line(line).encode()
    except LineError:
        return line.measurement.encode()
