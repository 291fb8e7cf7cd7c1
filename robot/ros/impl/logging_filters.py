"""What holds log lines back: all but the first, the first, or those too soon after the last; per place in a source."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar

from robot.ros.duration import NANOSECONDS

THROTTLE, CLOCK = "throttle_duration_sec", "throttle_time_source_type"
Context = dict[str, Any]  # what is remembered of one place in the source


class LoggingFilter:
    """The base of filters.

    Attributes:
        params: the filter's options and their defaults; an option whose default is None has to be given.
    """

    params: ClassVar[dict[str, Any]] = {}

    @classmethod
    def initialize_context(cls, context: Context, **kwargs: Any) -> None:
        """Remember the options; raises TypeError when one is missing."""
        for name, default in cls.params.items():
            context[name] = kwargs.get(name, default)
            if context[name] is None and name != CLOCK:
                raise TypeError(f'Required parameter "{name}" was not specified for logging filter "{cls.__name__}"')

    @staticmethod
    def should_log(context: Context) -> bool:
        return True


class Once(LoggingFilter):
    """Let the first line pass only."""

    params: ClassVar[dict[str, Any]] = {"once": None}

    @classmethod
    def initialize_context(cls, context: Context, **kwargs: Any) -> None:
        super().initialize_context(context, **kwargs)
        context["has_been_logged_once"] = False

    @staticmethod
    def should_log(context: Context) -> bool:
        seen, context["has_been_logged_once"] = context["has_been_logged_once"], True
        return not seen


class Throttle(LoggingFilter):
    """Let a line pass when the last one is long enough ago, on a clock of the caller's choice or a monotonic one."""

    params: ClassVar[dict[str, Any]] = {THROTTLE: None, CLOCK: None}

    @classmethod
    def initialize_context(cls, context: Context, **kwargs: Any) -> None:
        super().initialize_context(context, **kwargs)
        context["throttle_last_logged"] = None
        if context[CLOCK] is not None and not hasattr(context[CLOCK], "now"):
            raise ValueError(f'Received {CLOCK} of "{context[CLOCK]}" is not a clock instance')

    @staticmethod
    def should_log(context: Context) -> bool:
        clock = context[CLOCK]
        now: Callable[[], float] = context.get("monotonic") or time.monotonic
        instant = now() if clock is None else clock.now().nanoseconds / NANOSECONDS
        last = context["throttle_last_logged"]
        if last is not None and instant < last + context[THROTTLE]:
            return False
        context["throttle_last_logged"] = instant
        return True


class SkipFirst(LoggingFilter):
    """Let all but the first line pass."""

    params: ClassVar[dict[str, Any]] = {"skip_first": None}

    @classmethod
    def initialize_context(cls, context: Context, **kwargs: Any) -> None:
        super().initialize_context(context, **kwargs)
        context["first_has_been_skipped"] = False

    @staticmethod
    def should_log(context: Context) -> bool:
        skipped, context["first_has_been_skipped"] = context["first_has_been_skipped"], True
        return bool(skipped)


# in the order in which they are asked
supported_filters: dict[str, type[LoggingFilter]] = {"throttle": Throttle, "skip_first": SkipFirst, "once": Once}


def get_filters_from_kwargs(**kwargs: Any) -> list[str]:
    """Return the names of the filters whose options are given, in the order in which they are asked.

    Raises:
        TypeError: an unknown option, or one without another that it needs.
    """
    known = [option for kind in supported_filters.values() for option in kind.params]
    for option in kwargs:
        if option not in known:
            raise TypeError(f'parameter "{option}" is not one of the recognized logging options "{known}"')
    found = [name for name, kind in supported_filters.items() if any(kwargs.get(option) for option in kind.params)]
    for name in found:
        for option in supported_filters[name].params:
            if option != CLOCK and option not in kwargs:
                raise TypeError(
                    f'required parameter "{option}" not specified but is required for the logging filter "{name}"'
                )
    return found
