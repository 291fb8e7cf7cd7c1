"""The tables of metrics and faults are complete, bilingual and the only place where a fault's key is defined."""

from __future__ import annotations

from telemetry.messages.tables import Effect, Severity, faults, metrics


def test_every_metric_has_a_unit_limits_and_both_languages() -> None:
    for key, metric in metrics().items():
        assert metric.minimum < metric.maximum, key
        assert metric.rate > 0.0, key
        assert metric.stuck > 0.0, key
        assert metric.unit, key
        assert metric.zh and metric.en and metric.zh != metric.en, key


def test_every_fault_says_what_it_is_and_what_to_do_in_both_languages() -> None:
    for key, fault in faults().items():
        for text in (fault.zh, fault.do_zh):
            assert any("\u4e00" <= letter <= "\u9fff" for letter in text), key
        for text in (fault.en, fault.do_en):
            assert text.isascii() and text[0].isupper() and not text.endswith("."), key


def test_what_stops_the_robot_is_never_mere_information() -> None:
    for fault in faults().values():
        if fault.effect is Effect.STOPS:
            assert fault.severity is not Severity.INFO, fault.key


def test_lost_programs_hold_the_robot_and_never_need_a_reset() -> None:
    table = faults()
    for name in ("eyes", "picker", "mission", "gateway", "camera"):
        assert table[f"{name}_lost"].effect is Effect.HOLDS
