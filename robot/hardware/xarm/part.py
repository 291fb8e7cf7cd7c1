"""The six joints of an xArm 6 or a Lite 6 as a machine part."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from robot.hardware import GripperCommand, HardwareError
from robot.hardware.parts import PartState
from robot.hardware.ur.rtde import Stream
from robot.hardware.xarm.sdk import ERROR, INVALID, OK, WARNING, Commands, FramePort, commands

Array = npt.NDArray[np.float64]

AXES, SLOTS = 6, 7
"""Joints of the arm; numbers in a frame, which is made for seven joints."""

ALL, SERVO_MODE, READY, STOPPED = 8, 1, 0, 4
POSITION_AND_VELOCITY = 2
LITE = 9
"""Type of a Lite 6 in the controller's own words."""

FIRMWARE = (1, 9, 0)
"""The first that tells measured velocities."""

TRIES = 100
"""Looks at whether the drives are ready; two seconds."""

ACKNOWLEDGE = 1.0
"""Between two tries to clear an error at a controller whose drives nobody asked for [s]."""

ESTOP = frozenset({1, 2, 3})
PROTECTIVE = frozenset({22, 23, 24, 30, 31, 35, 37, 38, 60})
"""Errors of the controller (`xarm.core.config.x_code`): the hard-wired stop; collisions, limits, speeds, fences."""

VERSION = re.compile(r"(\d+),(\d+),.*?[vV](\d+)\.(\d+)\.(\d+)")


def fault(error: int) -> str:
    """Return our code for an error of the controller."""
    if error in ESTOP:
        return "estop_input"
    return "protective_stop" if error in PROTECTIVE else "hardware_fault"


class XArmPart:
    """The arm behind its controller, in servo mode: it goes to every set point at once and holds the last one.

    When the controller stops the arm by itself, the drives get no set points until somebody has answered that and the
    machine is activated again. The error is cleared at the controller meanwhile, which moves nothing; what is still
    pressed or still wrong comes back at once.

    Args:
        connect: opens a stream to the controller's port.
        lite: it is a Lite 6.
        monotonic: [s].
        nap: lets some time pass while the drives come on.
    """

    joints = (1, 2, 3, 4, 5, 6)
    has_gripper = False

    def __init__(
        self, connect: Callable[[], Stream], *, lite: bool, monotonic: Callable[[], float], nap: Callable[[], None]
    ) -> None:
        self._connect, self._lite, self._monotonic, self._nap = connect, lite, monotonic, nap
        self._port: FramePort | None = None
        self._sdk: Commands | None = None
        self._active = self._dropped = self._ours = False
        self._error: int | None = None
        self._cleared_at = float("-inf")

    def configure(self) -> None:
        """Connect and look whether it is the arm that was told.

        Raises:
            HardwareError: nobody answers, or it is another arm or has too old a firmware.
        """
        self._close()
        self._port = FramePort(self._connect(), self._monotonic)
        self._sdk = commands(self._port)
        text = bytes(int(octet) for octet in self._ask(self._client.get_version)[1:]).split(b"\0")[0].decode("latin-1")
        told = VERSION.search(text)
        if told is None:
            raise HardwareError("hardware_lost", f"expected an arm's version from the controller, got {text!r}")
        axes, kind, *version = (int(number) for number in told.groups())
        if axes != AXES or (kind == LITE) is not self._lite:
            name = "lite6" if kind == LITE else f"xarm{axes}"
            wanted = "lite6" if self._lite else "xarm6"
            raise HardwareError("hardware_not_configured", f"expected a {wanted} at the controller, got a {name}")
        if tuple(version) < FIRMWARE:
            needed, has = (".".join(map(str, v)) for v in (FIRMWARE, version))
            raise HardwareError("hardware_not_configured", f"the controller has firmware {has}; {needed} is needed")

    def reconnect(self) -> None:
        """Connect anew; it holds its last set point meanwhile, and takes new ones after `activate`."""
        self._active = self._dropped = False
        self.configure()

    def activate(self) -> None:
        """Clear what the controller reports, power the drives and begin servo mode; it holds where it is.

        Raises:
            HardwareError: the controller's error comes back, or the drives do not come on.
        """
        self._active = self._dropped = False
        sdk = self._client
        self._ask(sdk.clean_err)
        self._ask(sdk.clean_war)
        self._refuse_error()
        self._ask(lambda: sdk.motion_en(ALL, True))
        self._ask(lambda: sdk.set_mode(SERVO_MODE))
        self._ask(lambda: sdk.set_state(READY))
        for _ in range(TRIES):
            self._refuse_error()
            if sdk.state_is_ready:
                break
            self._nap()
        else:
            raise HardwareError("hardware_fault", "the arm's drives do not come on; is its power on?")
        self._active = self._ours = True

    def deactivate(self) -> None:
        """Stop, then take the power away: the brakes hold."""
        self._active = self._dropped = False
        self._ask(lambda: self._client.set_state(STOPPED))
        self._ask(lambda: self._client.motion_en(ALL, False))

    def shutdown(self) -> None:
        self._close()
        self._ours = False

    def _close(self) -> None:
        if self._port is not None:
            self._port.close()
        self._port = self._sdk = None

    def read(self) -> PartState:
        """Ask for what the joints measure; every answer says too whether the controller has an error."""
        now = self._monotonic()
        sdk = self._client
        code, *values = self._ask(lambda: sdk.get_joint_states(POSITION_AND_VELOCITY))
        if len(values) != POSITION_AND_VELOCITY * SLOTS:
            raise HardwareError("hardware_lost", f"expected 14 numbers of the joints, got {len(values)}")
        return PartState(
            stamp=now,
            position=np.array(values[:AXES]),
            velocity=np.array(values[SLOTS : SLOTS + AXES]),
            effort=np.full(AXES, np.nan),
            faults=self._faults(error=code == ERROR, ready=sdk.state_is_ready, now=now),
        )

    def write(self, position: Array, velocity: Array, valid_until: float, gripper: GripperCommand | None) -> None:
        """Send set points; the controller goes there as fast as it can, so they have to be near."""
        if not self._active:
            return
        goal = [*position.tolist(), *[0.0] * (SLOTS - AXES)]
        self._ask(lambda: self._client.move_servoj(goal, 0.0, 0.0, 0.0))

    def hold(self) -> None:
        """Let the controller stop the arm; set points are taken again after `activate`."""
        self._active = False
        self._ask(lambda: self._client.set_state(STOPPED))

    def _faults(self, *, error: bool, ready: bool, now: float) -> tuple[str, ...]:
        """Return what to report, and clear errors at the controller once nothing drives the arm."""
        sdk = self._client
        if error:
            self._dropped, self._active = self._dropped or self._active, False
            if self._error is None:
                self._error, self._cleared_at = self._error_code(), now
            elif self._ours and now - self._cleared_at >= ACKNOWLEDGE:
                self._ask(sdk.clean_err)
                self._error, self._cleared_at = self._error_code() or None, now
            return () if self._error is None else (fault(self._error),)  # 0: it does not say which
        self._error = None
        if self._active and not ready:  # somebody stopped it, or changed its mode
            self._dropped, self._active = True, False
        dropped, self._dropped = self._dropped, False
        return ("hardware_fault",) if dropped else ()

    def _refuse_error(self) -> None:
        error = self._error_code()
        if error:
            raise HardwareError(fault(error), f"the arm's controller reports error C{error}; its manual lists it")

    def _error_code(self) -> int:
        _, *codes = self._ask(self._client.get_err_code)
        if len(codes) < 2:
            raise HardwareError(
                "hardware_lost", f"expected an error and a warning of the arm's controller, got {codes}"
            )
        return int(codes[0])

    @property
    def _client(self) -> Commands:
        if self._sdk is None:
            raise HardwareError("hardware_not_configured", "the arm's controller is not connected")
        return self._sdk

    def _ask(self, ask: Callable[[], Sequence[float]]) -> Sequence[float]:
        """Return an answer.

        Raises:
            HardwareError: there is none, or the controller cannot do it.
        """
        try:
            answer = ask()
        except (OSError, ValueError) as error:  # the second: an answer has fewer octets than its numbers need
            raise HardwareError("hardware_lost", f"the arm's controller: {error}") from error
        if answer[0] == INVALID:
            raise HardwareError("hardware_fault", "the arm's controller refuses a command; is its firmware current?")
        if answer[0] not in (OK, ERROR, WARNING):
            raise HardwareError("hardware_lost", f"the arm's controller gives no answer (SDK: {answer[0]})")
        return answer
