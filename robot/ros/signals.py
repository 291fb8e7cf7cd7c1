"""Ctrl-C and SIGTERM: interrupt every open context, then do what was done before."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from enum import IntEnum
from types import FrameType
from typing import Any
from weakref import WeakSet

from robot.ros.context import Context, open_contexts
from robot.ros.guard_condition import GuardCondition


class SignalHandlerOptions(IntEnum):
    """Which signals are handled."""

    NO = 0
    SIGINT = 1
    SIGTERM = 2
    ALL = 3


class SignalHandlerGuardCondition(GuardCondition):
    """A guard condition that a handled signal triggers."""

    def __init__(self, context: Context | None = None) -> None:
        super().__init__(callback=None, callback_group=None, context=context)
        _guards.add(self)


_guards: WeakSet[SignalHandlerGuardCondition] = WeakSet()
_SIGNALS = {SignalHandlerOptions.SIGINT: signal.SIGINT, SignalHandlerOptions.SIGTERM: signal.SIGTERM}
_previous: dict[signal.Signals, Callable[[int, FrameType | None], Any] | int | None] = {}


def _handle(number: int, frame: FrameType | None) -> None:
    for context in tuple(open_contexts):
        context.interrupt()
    for guard in tuple(_guards):
        if not guard.handle.destroyed:
            guard.trigger()
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
