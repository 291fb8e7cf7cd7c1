"""Eyes that know the truth, for rows without pictures: which berries the camera would see, and a node that tells it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.kinematics import camera_pose
from robot.nodes.convert import RELIABLE, header, to_berry_message, to_time
from robot.nodes.heartbeat import Heartbeat
from robot.ros.context import Context
from robot.ros.interfaces import berry_msgs
from robot.ros.node import Node
from sim.fast.row import Row, Where
from sim.scene.plants import stage_of
from telemetry.clock import Clock
from vision.types import Berry, Detection, Stage

Array = npt.NDArray[np.float64]

NOISE = 0.0015
"""Standard deviation of a berry's place along each axis [m]."""

LATENCY = 0.10
"""From exposure to the berries' places [s], as the eyes need on the robot."""

PEDUNCLE = 0.010
"""The peduncle's point is told this far above the calyx [m], as the eyes place it."""


def seen(arm: ArmDescription, row: Row, joints: Array, rng: np.random.Generator) -> list[Berry]:
    """Return every hanging berry in the camera's view and range, with noise, in the optical frame.

    Args:
        joints: true ones, shape (7,).
    """
    camera = arm.camera
    T = camera_pose(arm, joints)
    half = np.array([camera.width, camera.height]) * 0.5 / camera.focal
    found = []
    for where, spec in zip(row.where, row.berries, strict=True):
        position = T[:3, :3].T @ (spec.center - T[:3, 3]) + rng.normal(0.0, NOISE, 3)
        inside = camera.range_min < position[2] < camera.range_max
        if where is not Where.HANGING or not inside or np.any(np.abs(position[:2]) > half * position[2]):
            continue
        axis = T[:3, :3].T @ np.array([0.0, 0.0, 1.0])
        detection = Detection(
            box=(0.0, 0.0, 1.0, 1.0),
            score=1.0,
            ripeness=spec.ripeness,
            stage=Stage(stage_of(spec.ripeness, spec.maturity)),
        )
        berry = Berry(
            detection=detection,
            position=position,
            covariance=np.eye(3) * NOISE**2,
            diameter=2.0 * spec.half_width,
            length=2.0 * spec.half_length,
            axis=axis,
            peduncle=position + axis * (spec.half_length + PEDUNCLE),
            id=spec.id,
        )
        found.append(berry)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SightSettings:
    """`namespace` of the robot; `seed` of the noise."""

    namespace: str = "/robot"
    seed: int = 1


class RowCamera(Node):
    """Stands for camera and eyes: each picture that is asked for is answered by what it would have shown.

    Args:
        joints: the true ones now, shape (7,).
    """

    def __init__(
        self,
        context: Context,
        clock: Clock,
        settings: SightSettings,
        *,
        arm: ArmDescription,
        row: Row,
        joints: Callable[[], Array],
    ) -> None:
        super().__init__("camera", context=context, namespace=settings.namespace)
        self._clock_source, self._arm, self._row, self._joints = clock, arm, row, joints
        self._rng = np.random.default_rng([settings.seed, 0x5167])
        self._berries = self.create_publisher(berry_msgs.msg.BerryArray, "berries", RELIABLE)
        self.create_service(berry_msgs.srv.Capture, "camera/capture", self._on_capture)
        self.heartbeat = Heartbeat(self, clock)
        self._eyes = Node("eyes", context=context, namespace=settings.namespace)
        self.eyes_heartbeat = Heartbeat(self._eyes, clock)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All that an executor has to run."""
        return self, self._eyes

    def _on_capture(self, _: Any, response: Any) -> Any:
        at = self._clock_source.now()
        answer = berry_msgs.msg.BerryArray(header=header(at, "camera"), latency=LATENCY, image_ok=True)
        answer.berries = [to_berry_message(b) for b in seen(self._arm, self._row, self._joints(), self._rng)]
        self.scheduler.post(lambda: self._berries.publish(answer), delay=LATENCY)
        response.success, response.stamp = True, to_time(at)
        return response
