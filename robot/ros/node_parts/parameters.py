"""Set a node's parameters: descriptors, callbacks, events."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from robot.ros import interfaces
from robot.ros.exceptions import (
    InvalidParameterValueException,
    ParameterImmutableException,
    ParameterNotDeclaredException,
)
from robot.ros.node_parts.declaring import Declaring
from robot.ros.node_parts.descriptors import refusal
from robot.ros.node_parts.reading import Reading
from robot.ros.parameter import Parameter, Type, parameter_value_to_python

if TYPE_CHECKING:
    from robot.ros.clock import ROSClock
    from robot.ros.publisher import Publisher

PreCallback = Callable[[list[Parameter]], list[Parameter]]
OnCallback = Callable[[list[Parameter]], Any]
PostCallback = Callable[[list[Parameter]], object]

EMPTY_LIST = (
    "parameter list cannot be empty, this might be due to pre_set_parameters_callback modifying the original "
    "parameters list."
)
NO_RESULT = "Callback returned an invalid type, it should return SetParametersResult."


class NodeParameters(Declaring, Reading):
    """The parameters of one node."""

    _clock: ROSClock

    def _ros_init_parameters(self, overrides: Iterable[Parameter], *, allow_undeclared: bool) -> None:
        self._parameters = {}
        self._descriptors = {}
        self._parameter_overrides = {parameter.name: parameter for parameter in overrides}
        self._allow_undeclared_parameters = allow_undeclared
        self._pre_set_parameters_callbacks: list[PreCallback] = []
        self._on_set_parameters_callbacks: list[OnCallback] = []
        self._post_set_parameters_callbacks: list[PostCallback] = []
        self._parameter_event_publisher: Publisher | None = None

    def get_fully_qualified_name(self) -> str:
        raise NotImplementedError

    # --- callbacks; the latest is called first

    def add_pre_set_parameters_callback(self, callback: PreCallback) -> None:
        """Let `callback` replace the parameters about to be set; it is not asked when they are declared."""
        self._pre_set_parameters_callbacks.insert(0, _checked(callback))

    def add_on_set_parameters_callback(self, callback: OnCallback) -> None:
        """Let `callback` refuse parameters: it returns rcl_interfaces/msg/SetParametersResult."""
        self._on_set_parameters_callbacks.insert(0, _checked(callback))

    def add_post_set_parameters_callback(self, callback: PostCallback) -> None:
        """Tell `callback` of parameters that were set or declared."""
        self._post_set_parameters_callbacks.insert(0, _checked(callback))

    def remove_pre_set_parameters_callback(self, callback: PreCallback) -> None:
        self._pre_set_parameters_callbacks.remove(callback)

    def remove_on_set_parameters_callback(self, callback: OnCallback) -> None:
        self._on_set_parameters_callbacks.remove(callback)

    def remove_post_set_parameters_callback(self, callback: PostCallback) -> None:
        self._post_set_parameters_callbacks.remove(callback)

    # --- setting

    def set_parameters(self, parameter_list: Iterable[Parameter]) -> list[Any]:
        """Set parameters one by one; each result says whether it was taken, and why not.

        A dynamically typed parameter set to NOT_SET is undeclared by that.

        Raises:
            ParameterNotDeclaredException: one is not declared; those before it are set.
        """
        return [self.set_parameters_atomically([parameter]) for parameter in parameter_list]

    def set_parameters_atomically(self, parameter_list: Sequence[Parameter]) -> Any:
        """Set all parameters or none; raises ParameterNotDeclaredException for one that is not declared."""
        wanted = list(parameter_list)
        if self._pre_set_parameters_callbacks:
            wanted = [new for callback in self._pre_set_parameters_callbacks for new in callback(list(wanted))]
            if not wanted:
                return _result(EMPTY_LIST)
        if not all(isinstance(parameter, Parameter) for parameter in wanted):
            raise TypeError(f"parameter must be instance of type '{Parameter!r}'")
        undeclared = [parameter.name for parameter in wanted if parameter.name not in self._parameters]
        if undeclared and not self._allow_undeclared_parameters:
            raise ParameterNotDeclaredException(undeclared)
        return self._ros_commit(wanted)

    def _ros_commit(self, parameters: Sequence[Parameter], descriptors: dict[str, Any] | None = None) -> Any:
        """Check and store; with `descriptors` it is a declaration, which may be without a value."""
        wanted = list(parameters)
        for parameter in wanted:
            descriptor = (self._descriptors if descriptors is None else descriptors).get(parameter.name)
            if descriptor is not None:
                descriptor.name = parameter.name
                reason = refusal(
                    parameter,
                    descriptor,
                    declared=parameter.name in self._parameters,
                    check_read_only=descriptors is None,
                )
                if reason:
                    return _result(reason)
        for callback in tuple(self._on_set_parameters_callbacks):
            result = callback(wanted)
            if not isinstance(result, interfaces.rcl_interfaces.msg.SetParametersResult):
                result = _result(f"{NO_RESULT} (got {type(result).__name__} of {callback!r})")
            if not result.successful:
                return result
        changes = [(self._ros_store(parameter, descriptors), parameter) for parameter in wanted]
        publisher = self._parameter_event_publisher
        if publisher is not None and publisher.is_heard:
            publisher.publish(self._ros_event(changes))
        for callback in tuple(self._post_set_parameters_callbacks):
            callback(wanted)
        return _result("")

    def _ros_store(self, parameter: Parameter, descriptors: dict[str, Any] | None) -> str:
        """Keep or forget a parameter; return the field of an event that tells of it."""
        name = parameter.name
        if descriptors is None and parameter.type_ is Type.NOT_SET:
            self._parameters.pop(name, None)
            self._descriptors.pop(name, None)
            return "deleted_parameters"
        if descriptors is not None:
            self._descriptors[name] = descriptors[name]
        elif name not in self._descriptors:
            kind = interfaces.rcl_interfaces.msg.ParameterDescriptor
            self._descriptors[name] = kind(name=name, type=int(parameter.type_), dynamic_typing=True)
        before = self._parameters.get(name)
        self._parameters[name] = parameter
        return "new_parameters" if before is None or before.type_ is Type.NOT_SET else "changed_parameters"

    def _ros_event(self, changes: Sequence[tuple[str, Parameter]]) -> Any:
        event = interfaces.rcl_interfaces.msg.ParameterEvent(
            node=self.get_fully_qualified_name(), stamp=self._clock.now().to_msg()
        )
        for field, parameter in changes:
            getattr(event, field).append(parameter.to_parameter_msg())
        return event

    def set_descriptor(self, name: str, descriptor: Any, alternative_value: Any = None) -> Any:
        """Give a parameter another descriptor and return its value, an rcl_interfaces/msg/ParameterValue.

        Args:
            alternative_value: ParameterValue to take where the descriptor refuses the present one.

        Raises:
            ParameterNotDeclaredException: there is no such parameter.
            ParameterImmutableException: it is read-only.
            InvalidParameterValueException: the descriptor refuses both values.
        """
        if name not in self._parameters:
            return self.get_parameter(name).get_parameter_value()
        if self._descriptors[name].read_only:
            raise ParameterImmutableException(name)
        candidates = [self.get_parameter(name)]
        if alternative_value is not None:
            candidates.append(Parameter(name, value=parameter_value_to_python(alternative_value)))
        descriptor.name = name
        reason = ""
        for candidate in candidates:
            reason = refusal(candidate, descriptor, declared=True, check_read_only=False)
            if not reason:
                self._parameters[name], self._descriptors[name] = candidate, descriptor
                return candidate.get_parameter_value()
        raise InvalidParameterValueException(name, candidates[-1].value, reason)


def _checked(callback: Any) -> Any:
    """Return a callback of parameters, refusing what cannot be called with one argument."""
    if not callable(callback):
        raise TypeError(f"Callback must be callable, got {type(callback)}")
    try:
        signature = inspect.signature(callback)
    except ValueError:  # of what is compiled
        return callback
    try:
        signature.bind([])
    except TypeError as error:
        raise TypeError(f"expected a callback that takes a list of parameters, got {callback!r}: {error}") from error
    return callback


def _result(reason: str) -> Any:
    return interfaces.rcl_interfaces.msg.SetParametersResult(successful=not reason, reason=reason)
