"""`python -m sim.devices`: stand-in devices in real time, to rehearse `berrybrain robot` without a machine.

A line "unplug" on its input pulls the arm's cable, "plug" puts it back, an end of file ends it.
"""

from __future__ import annotations

import argparse
import contextlib
import select
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from robot import ros
from robot.arms import ArmDescription, arm_names, load_arm
from robot.loop.realtime import lock_memory, real_time_class
from robot.ros.executors import SingleThreadedExecutor
from sim.devices.servos import PtyServos
from sim.devices.stand import JAWS, KINDS, RAIL, Stand, axis
from sim.devices.ur import FakeController, TcpController
from sim.devices.xarm import FakeXArm, TcpXArm
from sim.fast.hardware import parked
from sim.fast.row import Row, Where
from sim.fast.sight import RowCamera, SightSettings
from sim.scene.settings import Mix, SceneSettings
from telemetry.clock import Clock

TURN_S = 0.002
PRIORITY = 85
"""Above that of a control loop, which waits for the answers; without permission it is an ordinary process."""


TURNS = 2e-4
"""After so long a thread gives way to another that waits: bus, controller and camera share one interpreter [s]."""


class Wall:
    """The machine's own time."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


WRITTEN = "# Written by python -m sim.devices: stand-ins, no machine."
"""First line of a wiring file that may be written over: one without it has the measured zeros of a machine."""


def is_ours(file: Path) -> bool:
    """Say whether `file` is missing, or was written here."""
    return not file.exists() or file.read_text(encoding="utf-8").startswith(WRITTEN)


def wiring(stand: Stand, device: str, ports: dict[str, int]) -> str:
    """Return the wiring file of the devices."""
    rail = f"{{ servo = {RAIL.servo}, zero = {RAIL.zero}, ticks_per_unit = {RAIL.ticks_per_unit} }}"
    lines = [WRITTEN, f'arm = "{stand.arm.name}"', f"rail = {rail}", "", "[bus]", f'protocol = "{stand.protocol}"']
    lines += [f'device = "{device}"', "baud = 1000000", ""]
    if ports:
        lines += [f"[{stand.kind}]", 'host = "127.0.0.1"', *(f"{name} = {port}" for name, port in ports.items()), ""]
    else:
        lines.append("[joints]")
        for number, name in enumerate(stand.arm.arm.joints, start=1):
            one = axis(number)
            lines.append(
                f"{name} = {{ servo = {one.servo}, zero = {one.zero}, ticks_per_unit = {one.ticks_per_unit} }}"
            )
        lines.append("")
    opening = JAWS.opening
    lines += ["[gripper]", f"servo = {opening.servo}", f"zero = {opening.zero}"]
    lines += [f"ticks_per_unit = {opening.ticks_per_unit}", f"force_at_full_load = {JAWS.force_at_full_load}"]
    lines += [f"blade = {{ servo = {JAWS.blade}, housed = {JAWS.housed}, out = {JAWS.out} }}", ""]
    return "\n".join(lines)


def say(line: str) -> None:
    """Tell whoever started it."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m sim.devices", description=__doc__)
    parser.add_argument("--hardware", choices=KINDS, default="ur")
    parser.add_argument("--arm", choices=arm_names(), help="default: ur3e, with xarm a lite6")
    parser.add_argument("--wiring", type=Path, default=Path("machine.toml"), help="where the wiring file is written")
    parser.add_argument("--namespace", default="/berry_1", help="of the robot, as the farm file's id has it")
    parser.add_argument("--length", type=float, default=0.6, help="of the bed side [m]")
    parser.add_argument("--berries", type=int, default=3, help="ripe ones")
    parser.add_argument("--seed", type=int, default=3)
    told = parser.parse_args(words)
    if not is_ours(told.wiring):
        parser.error(f"{told.wiring} is there already and was not written here: name another file with --wiring")
    real_time_class(PRIORITY)  # a device answers in time however busy the computer is
    lock_memory()
    sys.setswitchinterval(TURNS)
    clock, arm = Wall(), load_arm(told.arm or ("lite6" if told.hardware == "xarm" else "ur3e"))
    row = Row(SceneSettings(length=told.length, mix=Mix(isolated=told.berries, unripe=1)), told.seed)
    stand = Stand(arm, told.hardware, parked(arm), clock.monotonic, row)
    with contextlib.ExitStack() as open_:
        line = open_.enter_context(PtyServos(stand.bus))
        ports: dict[str, int] = {}
        if stand.controller is not None:
            ports = served(stand.controller, open_)
        told.wiring.write_text(wiring(stand, line.name, ports), encoding="utf-8")
        say(f"berrybrain robot --hardware {told.hardware} --wiring {told.wiring} --button")
        open_.enter_context(ros.init())
        run(stand, row, clock, arm, SightSettings(namespace=told.namespace, seed=told.seed))


def served(controller: FakeController | FakeXArm, open_: contextlib.ExitStack) -> dict[str, int]:
    """Serve the arm's controller; return its ports by their keys in a wiring file."""
    if isinstance(controller, FakeXArm):
        return {"port": open_.enter_context(TcpXArm(controller)).ports["command"]}
    ports = open_.enter_context(TcpController(controller)).ports
    return {"rtde_port": ports["rtde"], "script_port": ports["script"]}


def run(stand: Stand, row: Row, clock: Clock, arm: ArmDescription, sight: SightSettings) -> None:
    """Let the devices live, and answer what the camera is asked, until the input ends."""
    camera = RowCamera(ros.get_default_context(), clock, sight, arm=arm, row=row, joints=stand.joints)
    executor = SingleThreadedExecutor()
    for node in camera.nodes:
        executor.add_node(node)
    placed = 0
    while True:
        if stand.hands is not None:
            stand.hands.update()
        executor.spin_once(timeout_sec=TURN_S)
        if row.count(Where.PLACED) != placed:
            placed = row.count(Where.PLACED)
            say(f"in the punnet: {placed}")
        if select.select([sys.stdin], [], [], 0.0)[0]:
            word = sys.stdin.readline()
            if not word:
                return
            stand.unplug(plugged=word.strip() != "unplug")
            say(f"cable: {word.strip()}")


if __name__ == "__main__":
    main()
