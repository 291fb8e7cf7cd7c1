"""Profiles of quality of service: what they take, refuse and satisfy."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from robot.ros.qos import (
    DurabilityPolicy,
    Duration,
    HistoryPolicy,
    InvalidQoSProfileException,
    LivelinessPolicy,
    QoSCompatibility,
    QoSPresetProfiles,
    QoSProfile,
    ReliabilityPolicy,
    as_profile,
    first_mismatch,
    qos_check_compatible,
    qos_profile_sensor_data,
    qos_profile_system_default,
)


def test_a_profile_needs_depth_or_a_history_that_goes_without() -> None:
    with pytest.raises(InvalidQoSProfileException):
        QoSProfile()
    with pytest.raises(InvalidQoSProfileException):
        QoSProfile(history=HistoryPolicy.KEEP_LAST)
    assert QoSProfile(history=HistoryPolicy.KEEP_ALL).limit is None
    assert QoSProfile(depth=3).history == HistoryPolicy.KEEP_LAST


@pytest.mark.parametrize(
    "wrong", [{"color": 1}, {"deadline": 3}, {"depth": "3"}, {"avoid_ros_namespace_conventions": 1}]
)
def test_wrong_arguments_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        QoSProfile(**{"depth": 1, **wrong})


def test_a_depth_of_zero_is_warned_of_and_a_negative_one_refused() -> None:
    with pytest.warns(UserWarning, match="zero depth"):
        profile = QoSProfile(depth=0)
    assert profile.depth == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        QoSProfile(history=HistoryPolicy.KEEP_ALL, depth=0)
    with pytest.raises(ValueError, match="greater than or equal"):
        as_profile(-1)
    with pytest.raises(TypeError):
        as_profile("10")  # type: ignore[arg-type]


def test_policies_have_short_names() -> None:
    assert HistoryPolicy.short_keys() == ["system_default", "keep_last", "keep_all", "unknown"]
    assert ReliabilityPolicy.get_from_short_key("BEST_effort") == ReliabilityPolicy.BEST_EFFORT
    assert LivelinessPolicy.MANUAL_BY_TOPIC.short_key == "manual_by_topic"
    with pytest.warns(UserWarning, match="KEEP_LAST"):
        old = HistoryPolicy.RMW_QOS_POLICY_HISTORY_KEEP_LAST  # type: ignore[attr-defined]
    assert old == HistoryPolicy.KEEP_LAST
    assert QoSPresetProfiles.get_from_short_key("sensor_data") == qos_profile_sensor_data
    assert "system_default" in QoSPresetProfiles.short_keys()


def test_a_profile_survives_the_way_to_a_peer_and_is_compared_by_its_policies() -> None:
    profile = QoSProfile(
        depth=7,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
        deadline=Duration(seconds=1),
        lifespan=Duration(seconds=2),
        liveliness=LivelinessPolicy.MANUAL_BY_TOPIC,
        liveliness_lease_duration=Duration(seconds=3),
    )
    assert QoSProfile.from_json(profile.to_json()) == profile == profile.copy()
    assert profile != QoSProfile(depth=7) and profile != 7


BEST_EFFORT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
RELIABLE = QoSProfile(depth=1)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def deadline(seconds: float) -> QoSProfile:
    return QoSProfile(depth=1, deadline=Duration(seconds=seconds))


def lease(seconds: float, kind: LivelinessPolicy = LivelinessPolicy.AUTOMATIC) -> QoSProfile:
    return QoSProfile(depth=1, liveliness=kind, liveliness_lease_duration=Duration(seconds=seconds))


@pytest.mark.parametrize(
    ("offered", "wanted", "policy"),
    [
        (RELIABLE, BEST_EFFORT, None),
        (BEST_EFFORT, RELIABLE, "RELIABILITY"),
        (LATCHED, RELIABLE, None),
        (RELIABLE, LATCHED, "DURABILITY"),
        (deadline(1.0), deadline(2.0), None),
        (deadline(2.0), deadline(1.0), "DEADLINE"),
        (RELIABLE, deadline(1.0), "DEADLINE"),
        (lease(1.0), lease(2.0), None),
        (lease(2.0), lease(1.0), "LIVELINESS"),
        (lease(1.0), lease(1.0, LivelinessPolicy.MANUAL_BY_TOPIC), "LIVELINESS"),
    ],
)
def test_an_offer_satisfies_a_request_or_is_named(offered: QoSProfile, wanted: QoSProfile, policy: str | None) -> None:
    reason, kind = first_mismatch(offered, wanted)
    assert (kind.name if kind is not None else None) == policy
    verdict, text = qos_check_compatible(offered, wanted)
    assert verdict == (QoSCompatibility.ERROR if policy else QoSCompatibility.OK)
    assert (reason in text) and bool(text) == bool(policy)


def test_a_policy_left_to_the_system_makes_compatibility_uncertain() -> None:
    verdict, text = qos_check_compatible(qos_profile_system_default, QoSProfile(depth=1))
    assert verdict == QoSCompatibility.WARNING and "reliability" in text


@pytest.mark.parametrize(
    ("offered", "wanted", "policy"),
    [
        (BEST_EFFORT, QoSProfile(depth=1, reliability=ReliabilityPolicy.SYSTEM_DEFAULT), "RELIABILITY"),
        (QoSProfile(depth=1, durability=DurabilityPolicy.SYSTEM_DEFAULT), LATCHED, "DURABILITY"),
        (RELIABLE, QoSProfile(depth=1, liveliness=LivelinessPolicy.MANUAL_BY_TOPIC), "LIVELINESS"),
    ],
)
def test_what_is_left_to_the_system_does_not_match_here_and_may_elsewhere(
    offered: QoSProfile, wanted: QoSProfile, policy: str
) -> None:
    _, kind = first_mismatch(offered, wanted)
    assert kind is not None and kind.name == policy
    verdict, text = qos_check_compatible(offered, wanted)
    assert verdict == QoSCompatibility.WARNING and policy.lower() in text


def test_the_same_deadline_and_lease_fit() -> None:
    for profile in (deadline(1.0), lease(1.0)):
        assert qos_check_compatible(profile, profile) == (QoSCompatibility.OK, "")
