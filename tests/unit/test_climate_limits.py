"""The limits drawn in the climate page are those that the brain raises alarms on."""

from __future__ import annotations

import re
from pathlib import Path

from telemetry.brain.alarm_rules import LIMITS, Side

TABLE = Path(__file__).resolve().parents[2] / "dashboard" / "static" / "parts" / "quantities.js"
LIMIT = re.compile(r"value: ([\d.]+), high: (true|false), fault: \"(\w+)\"")


def test_each_limit_line_is_a_rule_of_the_brain() -> None:
    drawn = set()
    for row in re.findall(r'\{ metric: "(\w+)".*', TABLE.read_text(encoding="utf-8")):
        line = next(text for text in TABLE.read_text(encoding="utf-8").splitlines() if f'metric: "{row}"' in text)
        drawn |= {(row, float(value), high == "true", fault) for value, high, fault in LIMIT.findall(line)}
    known = {(rule.metric, rule.limit, rule.side is Side.HIGH, rule.fault) for rule in LIMITS}
    assert len(drawn) >= 8
    assert drawn <= known
