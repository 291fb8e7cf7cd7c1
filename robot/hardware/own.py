"""A driver that is not ours: a class that the wiring file names, imported when the machine is opened."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Protocol, cast

from robot.arms import ArmDescription
from robot.hardware import Capabilities, Hardware, HardwareError, StopCategory

RATE = 100.0
"""The slowest that a control loop is run [1/s]."""

METHODS = sorted(name for name in vars(Hardware) if not name.startswith("_"))


class Driver(Protocol):
    """What the class is called with: the arm, the clock of `valid_until` and stamps [s], and its own keys."""

    def __call__(self, arm: ArmDescription, monotonic: Callable[[], float], **settings: Any) -> Hardware: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDriver:
    """What `[driver]` of a wiring file says.

    Attributes:
        place: `package.module:Class`.
        settings: the other keys of the table, handed to the class by name.
        file: for messages.
    """

    place: str
    settings: Mapping[str, Any]
    file: str

    def load(self, arm: ArmDescription) -> Driver:
        """Import the class and see that it takes what it will be given; nothing is opened.

        Raises:
            ValueError: there is no such class, or it takes other settings.
        """
        module, _, name = self.place.partition(":")
        if not all(part.isidentifier() for part in (*module.split("."), name)):
            raise self._wrong("package.module:Class", repr(self.place))
        try:
            found = importlib.import_module(module)
        except ImportError as error:
            raise self._wrong(
                "a module that this Python finds (installed beside berrybrain, or in PYTHONPATH)", f"{module}: {error}"
            ) from error
        except SyntaxError as error:
            raise self._wrong("a module that can be imported", f"{module}: {error}") from error
        made = getattr(found, name, None)
        if not callable(made):
            near = get_close_matches(name, vars(found), n=1)
            raise self._wrong(f"a class of {module}", f"{name}{f'; did you mean {near[0]}?' if near else ''}")
        try:
            inspect.signature(made).bind(arm, float, **self.settings)
        except (TypeError, ValueError) as error:  # the second: of no class written in Python
            raise self._wrong(
                f"keys that {name}(arm, monotonic, **keys) takes", f"{sorted(self.settings)}: {error}"
            ) from error
        return cast("Driver", made)

    def open(self, arm: ArmDescription, monotonic: Callable[[], float]) -> Hardware:
        """Make the driver and see that it is one for this arm, not configured yet.

        Raises:
            ValueError: it lacks a method, or has other joints than the arm, or cannot do what a loop needs.
            HardwareError: of the driver's own, or it finds no device.
        """
        made = self.load(arm)
        try:
            machine = made(arm, monotonic, **self.settings)
        except OSError as error:
            raise HardwareError("hardware_lost", f"{self.place}: {error}") from error
        missing = [name for name in METHODS if not hasattr(machine, name)]
        if missing:
            raise self._wrong(f"a driver with {', '.join(METHODS)}", f"one without {', '.join(missing)}")
        has: Any = machine.capabilities
        if not isinstance(has, Capabilities):
            raise self._wrong("a driver whose capabilities are robot.hardware.Capabilities", f"{type(has).__name__}")
        if tuple(has.joint_names) != arm.joint_names:
            raise self._wrong(f"a driver of {list(arm.joint_names)}", f"one of {list(has.joint_names)}")
        if not has.rate >= RATE or StopCategory.STOP_AND_HOLD not in has.stop_categories:
            raise self._wrong(
                f"a driver with a rate of at least {RATE:.0f} Hz that offers STOP_AND_HOLD",
                f"{has.rate} Hz, {[category.name for category in has.stop_categories]}",
            )
        return machine

    def _wrong(self, expected: str, got: str) -> ValueError:
        return ValueError(f"{self.file}: driver.class: expected {expected}, got {got}")
