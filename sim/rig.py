"""The whole robot in one process and virtual time: simulated cell, control loop and every node on one scheduler."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from robot.arms import ArmDescription
from robot.collision import Box, Obstacles, carriage
from robot.loop import ControlLoop, LoopSettings
from robot.nodes.camera import CameraNode, CameraSettings
from robot.nodes.control import ControlNode, ControlSettings
from robot.nodes.eyes import EyesNode, EyesSettings
from robot.nodes.gateway import GatewayNode, GatewaySettings
from robot.nodes.mission import MissionNode, MissionSettings
from robot.nodes.picker import PickerNode, PickerSettings
from robot.pick.settings import PickSettings
from robot.ros.context import Context
from robot.ros.transport.inprocess import InProcess
from sim.camera import SimCamera
from sim.cell import TICK, Cell, CellSettings
from sim.hardware import SimHardware
from sim.lockstep import Lockstep
from sim.oracle import BlankCamera, OracleEyes, OracleSettings
from sim.scene import SceneSettings
from sim.tray import Tray
from telemetry.mqtt import Client
from vision.types import Detector

LATENCY = 0.10
"""Computing time that is modelled for the eyes, which take none of the virtual time [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RigSettings:
    """What is put together.

    Attributes:
        bed: id under which the simulated bed side is known to the mission.
        queue: file of the mission's orders.
        gateway: its settings, when an MQTT client is given.
        oracle: true poses in place of pictures and perception.
        row: namespace of the row that is shared; empty = it has the row to itself.
    """

    cell: CellSettings = field(default_factory=CellSettings)
    seed: int = 1
    namespace: str = "/robot"
    robot: str = "robot"
    bed: str = "bed-1"
    latency: float = LATENCY
    queue: Path | str = ":memory:"
    pick: PickSettings = field(default_factory=PickSettings)
    gateway: GatewaySettings | None = None
    oracle: bool = False
    row: str = ""


class Rig:
    """One robot in front of one simulated bed side; `time.run` makes it work.

    Args:
        cell: which it shares with others; whoever made that steps it, before this robot's loop. None = one of its own.
        context: of the nodes; None = one of its own.
    """

    def __init__(
        self,
        time: Lockstep,
        settings: RigSettings,
        detector: Detector,
        mqtt: Client | None = None,
        *,
        cell: Cell | None = None,
        context: Context | None = None,
    ) -> None:
        self.time, self.settings = time, settings
        self._own = cell is None
        self.cell = cell or Cell(settings.cell, settings.seed)
        self.hardware = SimHardware(self.cell)
        self.camera: SimCamera | BlankCamera = (BlankCamera if settings.oracle else SimCamera)(self.cell)
        scene = self.cell.settings.scene
        arm = self.cell.scene.arm
        self.context = context or Context(InProcess(time))
        required = ("camera", "eyes", "picker", "mission", *(("gateway",) if mqtt is not None else ()))
        self.loop = ControlLoop(
            self.hardware,
            arm,
            time,
            LoopSettings(required=required, local_reset=False, obstacles=obstacles(arm, scene)),
        )
        self.loop.bring_up()
        name = settings.namespace
        self.control = ControlNode(
            self.context, time, ControlSettings(namespace=name, row=settings.row), self.loop, arm
        )
        self.camera_node = CameraNode(
            self.context, time, CameraSettings(namespace=name, rate=arm.camera.rate), self.camera
        )
        self.eyes: EyesNode | OracleEyes
        if settings.oracle:
            told = OracleSettings(namespace=name, latency=settings.latency)
            self.eyes = OracleEyes(self.context, time, told, self.cell)
        else:
            seen = EyesSettings(namespace=name, latency=settings.latency)
            self.eyes = EyesNode(self.context, time, seen, arm, detector)
        self.picker = PickerNode(
            self.context,
            time,
            PickerSettings(
                namespace=name,
                robot=settings.robot,
                pick=settings.pick,
                obstacles=(gutter(scene),),
                row=settings.row,
            ),
            arm,
        )
        self.mission = MissionNode(
            self.context,
            time,
            MissionSettings(
                namespace=name,
                queue=settings.queue,
                beds={settings.bed: scene.origin},
                ends={settings.bed: scene.origin + scene.length},
            ),
        )
        self.gateway: GatewayNode | None = None
        if mqtt is not None and settings.gateway is not None:
            self.gateway = GatewayNode(self.context, time, settings.gateway, mqtt, arm)
        self.tray = Tray(self.context, name, self.cell)
        time.every(TICK, self._tick)

    def _tick(self) -> None:
        if self._own:
            self.cell.step()
        self.loop.tick()

    def close(self) -> None:
        """Let go of the renderer and the queue's file."""
        self.mission.close()
        self.context.try_shutdown()
        self.camera.close()
        self.cell.close()


def obstacles(arm: ArmDescription, scene: SceneSettings) -> Obstacles:
    """Return what the limiter keeps the arm off: what rides with it, the gutter and the floor."""
    return Obstacles(boxes=(*carriage(arm), gutter(scene)))


def gutter(scene: SceneSettings) -> Box:
    """Return the gutter as an obstacle: what a surveyor would measure on a real bed."""
    return Box(
        minimum=(scene.origin - 0.2, scene.edge_y, scene.top_z - 0.12),
        maximum=(scene.origin + scene.length + 0.2, scene.edge_y + 0.3, scene.top_z),
    )
