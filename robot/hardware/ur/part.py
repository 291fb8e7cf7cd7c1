"""The six joints of a Universal Robots arm as a machine part."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from robot.hardware import GripperCommand, HardwareError
from robot.hardware.parts import PartState
from robot.hardware.ur import script
from robot.hardware.ur.rtde import PORT, Rtde, RtdeError, Stream
from robot.hardware.ur.stream import SCRIPT_PORT

Array = npt.NDArray[np.float64]
OUTPUTS = ("actual_q", "actual_qd", "robot_mode", "safety_status_bits", "runtime_state", script.ALIVE)
RATE = 500.0  # [Hz], of e-Series
SILENT = 0.1  # [s]; fifty packages
START_PACKAGES = 1500  # three seconds for the program to begin
RUNNING, PLAYING = 7, 2  # robot mode, runtime state
STOPPED = (
    (0b0000_0001_0100, "protective_stop"),
    (0b0000_1110_0000, "estop_input"),
    (0b0011_0000_0000, "hardware_fault"),
)


class UrPart:
    """The arm behind a controller. Power and brakes stay with the arm's own controller and its pendant.

    The program on the controller stops the arm when set points cease, whatever becomes of this process.

    Args:
        connect: opens a stream to one of the controller's ports.
        expiry: how old a set point may become on the controller [s]; the arm file's command age.
        monotonic: [s].
    """

    joints = (1, 2, 3, 4, 5, 6)
    has_gripper = False

    def __init__(self, connect: Callable[[int], Stream], *, expiry: float, monotonic: Callable[[], float]) -> None:
        self._connect, self._expiry, self._monotonic = connect, expiry, monotonic
        self._rtde: Rtde | None = None
        self._row: tuple[float, ...] = ()
        self._stamp = float("-inf")
        self._sequence = 0
        self._active = False
        self._goal = np.zeros(6)

    def configure(self) -> None:
        inputs = (*script.SET_POINTS, script.SEQUENCE, script.MODE)
        try:
            self._rtde = Rtde(self._connect(PORT), outputs=OUTPUTS, inputs=inputs, frequency=RATE)
            self._update(self._rtde.newest(wait=True))
        except (OSError, RtdeError) as error:
            raise HardwareError("hardware_lost", f"the arm's controller: {error}") from error

    def reconnect(self) -> None:
        """Connect anew; the arm's own program has stopped it meanwhile, and begins with `activate`."""
        self._active = False
        self.shutdown()
        self.configure()

    def activate(self) -> None:
        """Begin the program on the controller; it holds until the first set point.

        Raises:
            HardwareError: the arm is not powered, is stopped by its own safety system, or the program does not begin.
        """
        self._active = False
        state = self.read()
        if state.faults:
            raise HardwareError(state.faults[0], "the arm's safety system has stopped it; see its pendant")
        if self._row[12] != RUNNING:
            raise HardwareError("hardware_fault", "the arm is not powered with brakes released; do it at its pendant")
        self._goal = state.position
        self._send(script.HOLD)
        try:
            stream = self._connect(SCRIPT_PORT)
            stream.send(script.program(expiry=self._expiry).encode())
            for _ in range(START_PACKAGES):
                self._update(self._client.newest(wait=True))
                if self._row[14] == PLAYING and self._row[15] == script.MAGIC:
                    break
            else:
                raise HardwareError("hardware_fault", "the program did not begin; is remote control on?")
            stream.close()
        except (OSError, RtdeError) as error:
            raise HardwareError("hardware_lost", f"the arm's controller: {error}") from error
        self._active = True

    def deactivate(self) -> None:
        """End the program; the controller holds the arm."""
        self._active = False
        self._send(script.END)

    def shutdown(self) -> None:
        if self._rtde is not None:
            self._rtde.close()
            self._rtde = None

    def read(self) -> PartState:
        """Return the newest of what the controller sends 500 times a second."""
        now = self._monotonic()
        try:
            self._update(self._client.newest(wait=False))
        except (OSError, RtdeError) as error:
            raise HardwareError("hardware_lost", f"the arm's controller: {error}") from error
        if now - self._stamp > SILENT:
            raise HardwareError("hardware_lost", f"the arm's controller is silent for {now - self._stamp:.2f} s")
        row = np.array(self._row[:12])
        return PartState(
            stamp=self._stamp,
            position=row[:6],
            velocity=row[6:],
            effort=np.full(6, np.nan),
            faults=self._faults(),
        )

    def write(self, position: Array, velocity: Array, valid_until: float, gripper: GripperCommand | None) -> None:
        """Send set points under a new number; the program counts how old they become."""
        if not self._active:
            return
        self._goal = position
        self._sequence += 1
        self._send(script.FOLLOW)

    def hold(self) -> None:
        self._send(script.HOLD)

    @property
    def _client(self) -> Rtde:
        if self._rtde is None:
            raise HardwareError("hardware_not_configured", "the arm's controller is not connected")
        return self._rtde

    def _send(self, mode: int) -> None:
        try:
            self._client.send(*self._goal.tolist(), self._sequence, mode)
        except OSError as error:
            raise HardwareError("hardware_lost", f"the arm's controller: {error}") from error

    def _update(self, row: tuple[float, ...] | None) -> None:
        if row is not None:
            self._row, self._stamp = row, self._monotonic()

    def _faults(self) -> tuple[str, ...]:
        bits = int(self._row[13])
        found = [code for mask, code in STOPPED if bits & mask]
        if self._active and not found and self._row[12] != RUNNING:
            found.append("drives_off")
        elif self._active and not found and self._row[14] != PLAYING:
            found.append("hardware_fault")
            self._active = False  # told once: it ends, so that a person can answer it, and `activate` begins anew
        return tuple(found)
