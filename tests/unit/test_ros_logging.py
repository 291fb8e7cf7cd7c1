"""Loggers: levels by name, conditions per place in the source, format, directory."""

from __future__ import annotations

import logging as python_logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from robot.ros import logging
from robot.ros.arguments import parse
from robot.ros.clock import Clock
from robot.ros.impl.logging_output import Line, Output, format_line, output
from robot.ros.logging import LoggingSeverity, RcutilsLogger

INFO, WARN = LoggingSeverity.INFO, LoggingSeverity.WARN


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    logging.clear_config()
    yield
    logging.clear_config()


def test_levels_are_inherited_by_the_names_below() -> None:
    logging.set_logger_level("a", WARN)
    assert logging.get_logger_effective_level("a.b.c") == WARN
    assert logging.get_logger_level("a.b") == LoggingSeverity.UNSET
    logging.set_logger_level("a.b", 10)
    assert logging.get_logger("a.b.c").is_enabled_for(LoggingSeverity.DEBUG)
    logging.set_logger_level("a.b", LoggingSeverity.UNSET)
    assert logging.get_logger("a.b").get_effective_level() == WARN
    logging.set_logger_level("", LoggingSeverity.ERROR)
    assert logging.get_logger_effective_level("other") == LoggingSeverity.ERROR
    logging.clear_config()
    assert logging.get_logger_effective_level("a.b.c") == INFO
    for bad in (5, 60):
        with pytest.raises(ValueError, match=str(bad)):
            logging.set_logger_level("a", bad)


def test_severities_have_names() -> None:
    assert logging.get_logging_severity_from_string("warn") == WARN
    with pytest.raises(RuntimeError, match="loud"):
        logging.get_logging_severity_from_string("loud")


def test_a_message_below_the_level_is_held_back() -> None:
    logger = logging.get_logger("quiet")
    logger.set_level(WARN)
    assert (logger.info("x"), logger.warning("x"), logger.fatal("x")) == (False, True, True)
    assert logger.log("x", WARN) and not logger.log("x", INFO)


def test_children_are_named_below_their_parent() -> None:
    assert logging.get_logger("a").get_child("b").name == "a.b"
    for make in (logging.get_logger, logging.get_logger("a").get_child):
        with pytest.raises(ValueError, match="must not be empty"):
            make("")


def said(logger: RcutilsLogger, times: int, **options: object) -> list[bool]:
    return [logger.info("message", **options) for _ in range(times)]


def test_conditions_count_per_place() -> None:
    logger = logging.get_logger("counted")
    assert said(logger, 3, once=True) == [True, False, False]
    assert [logger.info("m", once=True) for _ in range(2)] == [True, False]
    assert [logger.info("m", skip_first=True) for _ in range(3)] == [False, True, True]
    assert [logger.info("m", skip_first=True, once=True) for _ in range(4)] == [False, True, False, False]
    assert [logger.info("m", once=False) for _ in range(2)] == [True, True]


def test_the_throttle_follows_the_clock_it_is_given() -> None:
    now = [0.0]
    logger = RcutilsLogger("throttled", lambda: now[0])
    passed = []
    for _ in range(6):
        passed.append(logger.info("m", throttle_duration_sec=1.0))
        now[0] += 0.4
    assert passed == [True, False, False, True, False, False]
    assert logger.info("m", throttle_duration_sec=1.0, throttle_time_source_type=Clock())
    with pytest.raises(ValueError, match="not a clock instance"):
        logger.info("m", throttle_duration_sec=1.0, throttle_time_source_type="steady")
    with pytest.raises(TypeError, match="throttle_duration_sec"):
        logger.info("m", throttle_time_source_type=Clock())


def test_a_place_may_not_change_its_mind() -> None:
    logger = logging.get_logger("steady")
    with pytest.raises(ValueError, match="severity cannot be changed"):
        for severity in (INFO, WARN):
            logger.log("m", severity)
    with pytest.raises(ValueError, match="name cannot be changed"):
        for name in ("a", "b"):
            logger.info("m", name=name)
    with pytest.raises(ValueError, match="filters cannot be changed"):
        for options in ({"once": True}, {"skip_first": True}):
            logger.info("m", **options)
    with pytest.raises(ValueError, match="parameters cannot be changed"):
        for seconds in (1.0, 2.0):
            logger.info("m", throttle_duration_sec=seconds)
    with pytest.raises(TypeError, match="not one of the recognized logging options"):
        logger.info("m", twice=True)


def test_lines_reach_python_logging_with_their_place(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(python_logging.INFO):
        logging.get_logger("robot.arm").warning("100 % stiff")
    [record] = caplog.records
    assert (record.name, record.levelname, record.getMessage()) == ("robot.arm", "WARNING", "100 % stiff")
    assert record.filename == "test_ros_logging.py"
    assert record.funcName == "test_lines_reach_python_logging_with_their_place"


def test_a_line_is_formatted_as_ros_does(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line(name="arm", severity=WARN, message="{name}", function="f", file="/a/b.py", line=7)
    assert format_line(line, 1_500_000_000) == "[WARN] [1.500000000] [arm]: {name}"
    assert format_line(line, 0, colours=True) == "\033[33m[WARN] [0.000000000] [arm]: {name}\033[0m"
    text = "{time_as_nanoseconds}|{file_name}|{short_file_name}|{line_number}|{function_name}|{odd}|{message}"
    monkeypatch.setenv("RCUTILS_CONSOLE_OUTPUT_FORMAT", text)
    assert format_line(line, 5) == "5|/a/b.py|b.py|7|f|{odd}|{name}"
    monkeypatch.setenv("RCUTILS_CONSOLE_OUTPUT_FORMAT", r"\t{severity_with_color}\n{date_time_with_ms}\d")
    assert re.fullmatch(
        r"\t\033\[33mWARN\033\[0m\n\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.012\\d", format_line(line, 12 * 10**6)
    )
    assert "\tWARN\n" in format_line(line, 0, colours=True)


def test_sinks_get_a_loggers_lines_and_those_of_its_living_children() -> None:
    heard: list[str] = []
    here = Output()
    here.add_sink("node", lambda line: heard.append(line.name))
    line = Line(name="node", severity=INFO, message="", function="", file="", line=1)
    child = Line(name="node.child", severity=INFO, message="", function="", file="", line=1)
    here.emit(line)
    here.emit(child)
    assert here.add_child("node", "node.child") and here.add_child("node", "node.child")
    here.emit(child)
    here.remove_child("node.child")
    here.emit(child)
    here.remove_child("node.child")
    here.emit(child)
    assert heard == ["node", "node.child", "node.child"]
    assert not here.add_child("other", "other.child")


def test_the_command_line_sets_levels() -> None:
    logging.configure(parse(["--ros-args", "--log-level", "error", "--log-level", "a:=debug", "--disable-stdout-logs"]))
    assert logging.get_logger_effective_level("b") == LoggingSeverity.ERROR
    assert logging.get_logger_effective_level("a.c") == LoggingSeverity.DEBUG
    assert output.console is False


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"ROS_LOG_DIR": "/x/y"}, "/x/y"),
        ({"ROS_HOME": "/h"}, "/h/log"),
        ({}, "~/.ros/log"),
        ({"ROS_LOG_DIR": "~/z"}, "~/z"),
    ],
)
def test_the_logging_directory_follows_the_environment(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], folder: str
) -> None:
    for name in ("ROS_LOG_DIR", "ROS_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert logging.get_logging_directory() == Path(folder).expanduser()
    assert re.match(r"^/", str(logging.get_logging_directory()))
