"""Eyes that know: the true poses in place of perception, so that a bench tells its losses from those of the hands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from robot.kinematics import camera_pose
from robot.nodes.convert import RELIABLE, to_berry_message, to_seconds
from robot.nodes.heartbeat import Heartbeat
from robot.pick.skin import elevation, seen_share
from robot.ros.context import Context
from robot.ros.interfaces import berry_msgs, sensor_msgs
from robot.ros.node import Node
from sim.cell import Cell
from sim.scene.build import HANGING
from sim.scene.plants import stage_of
from telemetry.clock import Clock
from vision.types import Berry, Detection, Frame, Intrinsics, Stage

PEDUNCLE = 0.010
"""The peduncle's point is told this far above the calyx [m], as the eyes place it."""


class BlankCamera:
    """A camera whose pictures show nothing: with true poses there is nothing to be drawn."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._color = np.zeros((4, 4, 3), dtype=np.uint8)

    @property
    def intrinsics(self) -> Intrinsics:
        return Intrinsics(width=4, height=4, fx=4.0, fy=4.0, cx=1.5, cy=1.5)

    def read(self) -> Frame:
        """Return an empty frame of this instant."""
        return Frame(stamp=self._cell.now, color=self._color, intrinsics=self.intrinsics)

    def close(self) -> None:
        """Nothing to let go of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OracleSettings:
    """`latency`: as that of the eyes it stands for [s]; `margin`: of the picture beyond its edges, as a share."""

    namespace: str = "/robot"
    latency: float = 0.0
    margin: float = 0.0


class OracleEyes(Node):
    """Publishes `berries` with the truth about every fruit in the camera's view, hidden ones too."""

    def __init__(self, context: Context, clock: Clock, settings: OracleSettings, cell: Cell) -> None:
        super().__init__("eyes", context=context, namespace=settings.namespace)
        self._settings, self._cell = settings, cell
        self._berries = self.create_publisher(berry_msgs.msg.BerryArray, "berries", RELIABLE)
        self.create_subscription(sensor_msgs.msg.Image, "camera/color/image_raw", self._on_color, RELIABLE)
        self.heartbeat = Heartbeat(self, clock)

    def _on_color(self, message: Any) -> None:
        answer = berry_msgs.msg.BerryArray(header=message.header, latency=self._settings.latency, image_ok=True)
        answer.berries = [to_berry_message(b) for b in seen(self._cell, self._settings.margin)]
        assert abs(to_seconds(message.header.stamp) - self._cell.now) < 0.01
        self.scheduler.post(lambda: self._berries.publish(answer), delay=self._settings.latency)


def seen(cell: Cell, margin: float = 0.0) -> list[Berry]:
    """Return every berry on its stem whose centre is in the camera's view and range now, in the optical frame."""
    camera = cell.scene.arm.camera
    T = camera_pose(cell.scene.arm, cell.joints)
    half = np.array([camera.width, camera.height]) * (0.5 + margin) / camera.focal
    found = []
    for i, spec in enumerate(cell.scene.bed.berries):
        if cell.fruit.states[i] != HANGING:
            continue
        position = T[:3, :3].T @ (cell.fruit.position(i) - T[:3, 3])
        inside = camera.range_min < position[2] < camera.range_max and np.all(np.abs(position[:2]) < half * position[2])
        if not inside:
            continue
        top, bottom = cell.fruit.stem(i)
        up = (top - bottom) / np.linalg.norm(top - bottom)
        axis = T[:3, :3].T @ up
        center = 0.5 * camera.width + camera.focal * position[0] / position[2]
        row = 0.5 * camera.height + camera.focal * position[1] / position[2]
        size = camera.focal * spec.half_width / position[2]
        detection = Detection(
            box=(center - size, row - size, center + size, row + size),
            score=1.0,
            ripeness=seen_share(spec.ripeness, elevation(T[:3, 3], cell.fruit.position(i))),
            stage=Stage(stage_of(spec.ripeness, spec.maturity)),
        )
        found.append(
            Berry(
                detection=detection,
                position=position,
                covariance=np.eye(3) * 1e-6,
                diameter=2.0 * spec.half_width,
                length=2.0 * spec.half_length,
                axis=axis,
                peduncle=position + axis * (spec.half_length + PEDUNCLE),
                id=i,
            )
        )
    return found
