"""One robot of the kinematic tier with every node of the real one, on a scheduler it may share with others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.collision import Obstacles, carriage
from robot.hardware import Hardware
from robot.loop import ControlLoop, LoopSettings
from robot.nodes.control import ControlNode, ControlSettings
from robot.nodes.mission import MissionNode, MissionSettings
from robot.nodes.picker import PickerNode, PickerSettings
from robot.pick.settings import PickSettings
from robot.ros.context import Context
from sim.fast.row import Row
from sim.fast.sight import RowCamera, SightSettings
from sim.lockstep import Lockstep
from sim.rig import gutter
from sim.scene.settings import SceneSettings
from telemetry.clock import Clock

Array = npt.NDArray[np.float64]

REQUIRED = ("camera", "eyes", "picker", "mission")


@dataclass(frozen=True, slots=True, kw_only=True)
class FastRigSettings:
    """What is put together.

    Attributes:
        namespace: of the robot's names on the wire; its last part is the robot's id.
        bed: id under which the bed side is known to the mission.
        row: namespace of the row that is shared; empty = it has the row to itself.
        local_reset: a stop is answered by the button at the machine only.
    """

    scene: SceneSettings = field(default_factory=SceneSettings)
    seed: int = 1
    namespace: str = "/robot"
    bed: str = "bed-1"
    pick: PickSettings = field(default_factory=PickSettings)
    row: str = ""
    local_reset: bool = False


class FastRig:
    """Loop and nodes around hardware that was made for it.

    Args:
        time: the scheduler.
        clock: of loop and hardware; the scheduler's own unless a driver makes time pass while it waits.
        joints: where the machine truly is, shape (7,).
        moved: called after each tick, for what the machine does to the world.
    """

    def __init__(
        self,
        time: Lockstep,
        context: Context,
        settings: FastRigSettings,
        *,
        arm: ArmDescription,
        row: Row,
        hardware: Hardware,
        joints: Callable[[], Array],
        clock: Clock | None = None,
        moved: Callable[[], None] = lambda: None,
    ) -> None:
        self.time, self.settings, self.arm, self.row = time, settings, arm, row
        self.joints, self._moved = joints, moved
        scene, name = settings.scene, settings.namespace
        obstacles = Obstacles(boxes=(*carriage(arm), gutter(scene)))
        rate = hardware.capabilities.rate
        limits = LoopSettings(
            rate=rate, required=REQUIRED, blackbox=1.0, local_reset=settings.local_reset, obstacles=obstacles
        )
        self.loop = ControlLoop(hardware, arm, clock or time, limits)
        self.loop.bring_up()
        self.control = ControlNode(
            context, clock or time, ControlSettings(namespace=name, row=settings.row), self.loop, arm
        )
        sight = SightSettings(namespace=name, seed=settings.seed)
        self.camera = RowCamera(context, time, sight, arm=arm, row=row, joints=joints)
        picker = PickerSettings(
            namespace=name, robot=name.strip("/"), pick=settings.pick, obstacles=(gutter(scene),), row=settings.row
        )
        self.picker = PickerNode(context, time, picker, arm)
        self.mission = MissionNode(
            context,
            time,
            MissionSettings(
                namespace=name, beds={settings.bed: scene.origin}, ends={settings.bed: scene.origin + scene.length}
            ),
        )
        time.every(1.0 / rate, self._tick)

    def _tick(self) -> None:
        self.loop.tick()
        self._moved()

    def close(self) -> None:
        """Let go of the mission's queue."""
        self.mission.close()
