"""What follows `--ros-args` on a command line: remap rules, parameters, log levels.

The syntax is that of https://design.ros2.org/articles/ros_command_line_arguments.html: arguments between `--ros-args`
and `--` (or the end) are ROS's, all others the program's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from robot.ros.arguments.parameters import Overrides, read_assignment, read_file
from robot.ros.arguments.rules import Rule, parse_rule
from robot.ros.exceptions import RCLInvalidROSArgsError, UnknownROSArgsError

START, END = "--ros-args", "--"
REMAP, PARAM, PARAMS_FILE = ("-r", "--remap"), ("-p", "--param"), ("--params-file",)
LOG_LEVEL, ENCLAVE = ("--log-level",), ("-e", "--enclave")
LOG_CONFIG = ("--log-config-file", "--log-file-name")
OUTPUT_FLAGS = {
    f"--{action}-{output}-logs": (output, action == "enable")
    for action in ("enable", "disable")
    for output in ("stdout", "rosout", "external-lib")
}
SEVERITIES = {"unset": 0, "debug": 10, "info": 20, "warn": 30, "error": 40, "fatal": 50}


@dataclass(slots=True, kw_only=True)
class Arguments:
    """Parsed arguments.

    Attributes:
        log_levels: severity by logger name, "" for all others.
        outputs: whether log lines go to stdout, rosout, external-lib; what is absent does.
        own: the program's own arguments.
    """

    rules: list[Rule] = field(default_factory=list)
    overrides: Overrides = field(default_factory=list)
    log_levels: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, bool] = field(default_factory=dict)
    enclave: str = "/"
    own: list[str] = field(default_factory=list)


def split(args: Sequence[str]) -> tuple[list[str], list[str]]:
    """Part the program's own arguments from ROS's, without the markers."""
    own: list[str] = []
    ros: list[str] = []
    inside = False
    for argument in args:
        if argument == START:
            inside = True
        elif argument == END and inside:
            inside = False
        else:
            (ros if inside else own).append(argument)
    return own, ros


def parse(args: Sequence[str]) -> Arguments:
    """Read a command line.

    Raises:
        TypeError: an argument is not text.
        UnicodeEncodeError: an argument holds what no text does, for example from a wrong locale.
        RCLInvalidROSArgsError: a ROS argument that is wrong or lacks its value.
        UnknownROSArgsError: ROS arguments that mean nothing.
    """
    for argument in args:
        if not isinstance(argument, str):
            raise TypeError(f"expected a command line of str, got {argument!r}")
        argument.encode()
    own, ros = split(args)
    parsed = Arguments(own=own)
    unknown: list[str] = []
    rest = iter(ros)
    for flag in rest:
        if flag in OUTPUT_FLAGS:
            output, enabled = OUTPUT_FLAGS[flag]
            parsed.outputs[output] = enabled
            continue
        if flag not in (*REMAP, *PARAM, *PARAMS_FILE, *LOG_LEVEL, *ENCLAVE, *LOG_CONFIG):
            unknown.append(flag)
            continue
        value = next(rest, None)
        if value is None:
            raise RCLInvalidROSArgsError(f"Failed to parse ROS arguments: no value after the trailing {flag}")
        try:
            _take(parsed, flag, value)
        except (ValueError, OSError) as error:
            raise RCLInvalidROSArgsError(f"Failed to parse ROS arguments: '{flag} {value}': {error}") from error
    if unknown:
        raise UnknownROSArgsError(f"Found unknown ROS arguments: {unknown}")
    return parsed


def _take(parsed: Arguments, flag: str, value: str) -> None:
    if flag in REMAP:
        parsed.rules.append(parse_rule(value))
    elif flag in PARAM:
        parsed.overrides.append(read_assignment(value))
    elif flag in PARAMS_FILE:
        parsed.overrides.extend(read_file(Path(value)))
    elif flag in LOG_LEVEL:
        name, mark, level = value.rpartition(":=")
        if level.lower() not in SEVERITIES or (mark and not name):
            raise ValueError(f"expected one of {list(SEVERITIES)}, got {level!r}")
        parsed.log_levels[name] = SEVERITIES[level.lower()]
    elif flag in ENCLAVE:
        parsed.enclave = value if value.startswith("/") else f"/{value}"
