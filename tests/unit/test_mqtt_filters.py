"""Topic filters mean what MQTT says (version 5, section 4.7)."""

from __future__ import annotations

import pytest

from telemetry.mqtt.filters import check_filter, matches


@pytest.mark.parametrize(
    ("topic_filter", "topic", "expected"),
    [
        ("sport/tennis/player1/#", "sport/tennis/player1", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", True),
        ("sport/#", "sport", True),
        ("#", "anything/at/all", True),
        ("#", "$SYS/broker", False),
        ("sport/tennis/+", "sport/tennis/player1", True),
        ("sport/tennis/+", "sport/tennis/player1/ranking", False),
        ("sport/+", "sport", False),
        ("sport/+", "sport/", True),
        ("+/+", "/finance", True),
        ("/+", "/finance", True),
        ("+", "/finance", False),
        ("+/monitor", "$SYS/monitor", False),
        ("$SYS/#", "$SYS/broker", True),
        ("a/b", "a/B", False),
        ("a/b", "a/b/c", False),
        ("a/b/c", "a/b", False),
        ("$share/g/a/+", "a/b", True),
        ("$share/g/a/+", "b/b", False),
        ("$share/g/#", "$SYS/broker", False),
    ],
)
def test_filter_matches_as_the_standard_says(topic_filter: str, topic: str, expected: bool) -> None:
    assert matches(topic_filter, topic) is expected


@pytest.mark.parametrize("wrong", ["$share", "$share/g", "$share//a", "$share/+/a", "$share/#", "a/b+"])
def test_filters_that_mean_nothing_are_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        check_filter(wrong)
