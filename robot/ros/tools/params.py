"""Read and set the parameters of other nodes, as `ros2 param` does."""

from __future__ import annotations

from typing import Any

import yaml

from robot.ros.interfaces import rcl_interfaces
from robot.ros.packages.rosidl_runtime_py.convert import dump_yaml
from robot.ros.tools.session import Session, ToolError, missing

TYPES = {  # ParameterType → (word, field of ParameterValue)
    1: ("Boolean", "bool_value"),
    2: ("Integer", "integer_value"),
    3: ("Double", "double_value"),
    4: ("String", "string_value"),
    5: ("Byte", "byte_array_value"),
    6: ("Boolean", "bool_array_value"),
    7: ("Integer", "integer_array_value"),
    8: ("Double", "double_array_value"),
    9: ("String", "string_array_value"),
}
SINGLE = {bool: 1, int: 2, float: 3, str: 4}


def value_of(parameter: Any) -> Any:
    """Return what a ParameterValue holds, None when it is not set."""
    if parameter.type not in TYPES:
        return None
    value = getattr(parameter, TYPES[parameter.type][1])
    if parameter.type == 5:
        return [int.from_bytes(item, "little") for item in value]
    return list(value) if parameter.type > 5 else value


def described(parameter: Any) -> str:
    """Say a value as `ros2 param get` does."""
    if parameter.type not in TYPES:
        return "Parameter not set"
    word, _ = TYPES[parameter.type]
    plural = "values are" if parameter.type >= 5 else "value is"
    return f"{word} {plural}: {value_of(parameter)}"


def parse(text: str) -> Any:
    """Read a value as YAML into a ParameterValue; a list must hold one type."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        value = text
    made = rcl_interfaces.msg.ParameterValue()
    if type(value) in SINGLE:
        made.type = SINGLE[type(value)]
    elif isinstance(value, list) and value and len({type(item) for item in value} - {int}) <= 1:
        kinds = {type(item) for item in value}
        kind = float if kinds == {int, float} else next(iter(kinds))
        if kind not in SINGLE:
            raise ToolError(f"expected a list of booleans, numbers or texts, got {text!r}")
        value = [kind(item) for item in value]
        made.type = SINGLE[kind] + 5
    else:
        value, made.type = text, SINGLE[str]
    setattr(made, TYPES[made.type][1], value)
    return made


class Parameters:
    """The parameters of one node."""

    def __init__(self, session: Session, node: str, timeout_s: float = 5.0) -> None:
        self._session = session
        self.node = session.resolve(node)
        self._timeout_s = timeout_s
        session.look(lambda: self.node in session.nodes(hidden=True))
        if self.node not in session.nodes(hidden=True):
            raise ToolError(missing("node", self.node, session.nodes(hidden=True)))

    def _call(self, service: str, kind: str, **fields: Any) -> Any:
        cls = getattr(rcl_interfaces.srv, kind)
        return self._session.call(cls, f"{self.node}/{service}", cls.Request(**fields), self._timeout_s)

    def names(self) -> list[str]:
        return sorted(self._call("list_parameters", "ListParameters").result.names)

    def get(self, *names: str) -> list[Any]:
        return list(self._call("get_parameters", "GetParameters", names=list(names)).values)

    def get_one(self, name: str) -> Any:
        values = self.get(name)
        if not values or values[0].type == 0:
            known = self.names()
            if name not in known:
                raise ToolError(missing(f"parameter of {self.node} called", name, known))
        return values[0]

    def set(self, name: str, text: str) -> None:
        """Set a parameter from YAML.

        Raises:
            ToolError: the node did not take it; the reason is the node's.
        """
        parameter = rcl_interfaces.msg.Parameter(name=name, value=parse(text))
        result = self._call("set_parameters", "SetParameters", parameters=[parameter]).results[0]
        if not result.successful:
            raise ToolError(f"setting {name} of {self.node} failed: {result.reason or 'the node gave no reason'}")

    def describe(self, *names: str) -> list[Any]:
        return list(self._call("describe_parameters", "DescribeParameters", names=list(names)).descriptors)

    def dump(self) -> str:
        """Return all values as a file of parameters that `--params-file` reads."""
        names = self.names()
        tree: dict[str, Any] = {}
        for name, value in zip(names, self.get(*names), strict=True):
            *path, last = name.split(".")
            branch = tree
            for part in path:
                branch = branch.setdefault(part, {})
            branch[last] = value_of(value)
        return dump_yaml({self.node: {"ros__parameters": tree}})
