"""The processes that stand on a real machine: the control loop with its drivers, and the camera."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from dashboard.cli.cell_role import REQUIRED
from dashboard.cli.host import Host
from dashboard.cli.robot_roles import blackboxes, gutter, namespace, wiring_of
from dashboard.cli.settings import RunSettings

log = logging.getLogger(__name__)

TURNS = 5e-4
"""After so long a helper's thread gives way to the loop's [s]; Python's own 5 ms are longer than a tick."""


class Beat:
    """Ticks at a fixed rate between the turns of a host's loop; what was missed is skipped, never made up for.

    Args:
        period: of the ticks [s].
    """

    def __init__(self, tick: Callable[[], None], period: float, monotonic: Callable[[], float]) -> None:
        self._tick, self._period, self._monotonic = tick, period, monotonic
        self._due = monotonic()

    def __call__(self) -> float:
        """Tick if it is time; return how long until the next one [s]."""
        if self._monotonic() >= self._due:
            self._tick()
            missed = max(0.0, self._monotonic() - self._due) // self._period
            self._due += (1.0 + missed) * self._period
        return max(0.0, self._due - self._monotonic())


def control(settings: RunSettings, name: str, slot: int | None) -> None:
    """Drive the machine. It comes up stopped: somebody who sees it has to say that it is where it says it is."""
    from robot.collision import Obstacles, carriage
    from robot.hardware import HardwareError
    from robot.hardware.wiring import connect
    from robot.loop import ControlLoop, LoopSettings
    from robot.loop.realtime import helper_class, lock_memory, no_collections, real_time_class
    from robot.nodes.control import ControlNode, ControlSettings

    host = Host(settings, name, slot=slot)
    wiring = wiring_of(settings)
    arm = wiring.arm
    for missing in (lock_memory(), real_time_class()):
        if missing:
            log.warning("%s", missing)
    try:
        machine = connect(wiring, host.clock.monotonic)
        around = Obstacles(boxes=(*carriage(arm), gutter(host.farm.bed(host.robot.bed))))
        rate = machine.capabilities.rate
        limits = LoopSettings(rate=rate, required=REQUIRED, overrun_policy=True, obstacles=around)
        loop = ControlLoop(machine, arm, host.clock, limits)
        loop.bring_up()
    except (HardwareError, ValueError) as error:
        sys.exit(str(error))
    loop.stop("not_homed")

    writer = ThreadPoolExecutor(1, initializer=helper_class)
    writer.submit(int)  # its thread is there before anything is urgent
    host.at_end(writer.shutdown)  # after the machine was told to stop: what it still has to write takes its time

    def let_go() -> None:
        with contextlib.suppress(HardwareError):  # what does not answer now cannot be told to stop
            loop.shut_down()

    host.at_end(let_go)

    space = ControlSettings(namespace=namespace(settings.robot), blackbox=blackboxes(settings), aside=writer.submit)
    host.add(ControlNode(host.context(), host.clock, space, loop, arm))
    no_collections()
    sys.setswitchinterval(TURNS)
    host.run(Beat(loop.tick, 1.0 / rate, host.clock.monotonic))


def camera(settings: RunSettings, name: str, slot: int | None) -> None:
    """Expose pictures with a real camera, or from files."""
    from robot.nodes.camera import CameraNode, CameraSettings
    from vision.calibrate.file import load_calibration
    from vision.camera.sources import open_camera
    from vision.types import CameraError

    host = Host(settings, name, slot=slot)
    wiring = wiring_of(settings)
    lens = load_calibration(wiring.camera).intrinsics if wiring.camera is not None else None
    try:
        eye = open_camera(settings.camera, now=host.clock.now, intrinsics=lens, loop=True)
    except (ValueError, CameraError) as error:
        sys.exit(f"--camera {settings.camera}: {error}")
    rate = CameraSettings(namespace=namespace(settings.robot), rate=wiring.arm.camera.rate)
    host.add(CameraNode(host.context(), host.clock, rate, eye))
    host.at_end(eye.close)
    host.run()
