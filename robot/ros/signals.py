"""Ctrl-C and SIGTERM: interrupt every open context, then do what was done before."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from types import FrameType
from typing import Any
from weakref import WeakSet

from robot.ros.context import Context, open_contexts
from robot.ros.exceptions import InvalidHandle
from robot.ros.guard_condition import GuardCondition
from robot.ros.handle import Handle


class SignalHandlerOptions(IntEnum):
    """Which signals are handled."""

    NO = 0
    SIGINT = 1
    SIGTERM = 2
    ALL = 3


class RawGuard(Handle):
    """A guard condition made by hand."""

    trigger_guard_condition: Callable[[], None]


Guard = GuardCondition | RawGuard


def register_sigint_guard_condition(guard_condition: Guard) -> None:
    """Let signals trigger a guard condition; raises ValueError when they do so already."""
    if guard_condition in _guards:
        raise ValueError("Guard condition was already registered")
    _guards.add(guard_condition)


def unregister_sigint_guard_condition(guard_condition: Guard) -> None:
    """Let signals leave a guard condition alone; raises ValueError when they did so before."""
    if guard_condition not in _guards:
        raise ValueError("Guard condition was not registered")
    _guards.discard(guard_condition)


class SignalHandlerGuardCondition(GuardCondition):
    """A guard condition that a handled signal triggers."""

    def __init__(self, context: Context | None = None) -> None:
        super().__init__(callback=None, callback_group=None, context=context)
        register_sigint_guard_condition(self)


_guards: WeakSet[Guard] = WeakSet()
_SIGNALS = {SignalHandlerOptions.SIGINT: signal.SIGINT, SignalHandlerOptions.SIGTERM: signal.SIGTERM}
_previous: dict[signal.Signals, Callable[[int, FrameType | None], Any] | int | None] = {}


def _handle(number: int, frame: FrameType | None) -> None:
    for context in tuple(open_contexts):
        context.interrupt()
    for guard in tuple(_guards):
        with suppress(InvalidHandle):  # it is gone
            guard.trigger() if isinstance(guard, GuardCondition) else guard.trigger_guard_condition()
    before = _previous.get(signal.Signals(number))
    if callable(before):
        before(number, frame)


def install_signal_handlers(options: SignalHandlerOptions = SignalHandlerOptions.ALL) -> None:
    """Handle the signals asked for; outside the main thread, where Python allows no handlers, do nothing."""
    if threading.current_thread() is not threading.main_thread():
        return
    for option, number in _SIGNALS.items():
        if options & option and number not in _previous:
            _previous[number] = signal.signal(number, _handle)


def uninstall_signal_handlers() -> None:
    """Put back the handlers there were, unless others were installed meanwhile."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number, before in tuple(_previous.items()):
        if signal.getsignal(number) is _handle:
            signal.signal(number, before)
        del _previous[number]


def get_current_signal_handlers_options() -> SignalHandlerOptions:
    """Return which signals are handled now."""
    return SignalHandlerOptions(sum(option for option, number in _SIGNALS.items() if number in _previous))
