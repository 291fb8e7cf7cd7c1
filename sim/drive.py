"""The simulated servo amplifiers: PD with velocity feed-forward on set points that expire, and a limited pad force."""

from __future__ import annotations

import math
from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from sim.scene import Scene

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServoSettings:
    """Closed-loop bandwidth of rail and joints [Hz] and damping ratio; a small cobot's joint loops reach 10-20 Hz."""

    bandwidth: float = 14.0
    rail_bandwidth: float = 10.0
    damping: float = 0.9


class Drive:
    """Seven joint servos and the gripper's. Set points run on until they expire, then stop and hold."""

    def __init__(self, scene: Scene, data: mujoco.MjData, settings: ServoSettings) -> None:
        self._scene, self._model, self._data = scene, scene.model, data
        self._names = scene.names
        gain, damping = self._tune(settings)
        self._lead = damping / gain
        """The damping is of the velocity itself: a reference that moves is set ahead by so much of it [s]."""
        self._brakes = scene.arm.acceleration
        self._qpos, self._ctrl = data.qpos, data.ctrl
        self._fingers: list[int] = self._names.fingers_qpos.tolist()
        self._target = data.qpos[self._names.joint_qpos].copy()
        self._reference = self._target.copy()
        self._velocity = np.zeros(7)
        self._valid_until = self._grip_until = -math.inf
        self._set_at = 0.0
        self._opening_wanted = self._opening_now = self.opening
        self._force, self._force_set = scene.arm.tool.force_limit, -1.0
        self.powered = False
        self.disconnected: set[int] = set()
        """Joints whose motor does not answer: they only damp."""

    def _tune(self, settings: ServoSettings) -> tuple[Array, Array]:
        """Set gains from each joint's own inertia in the present posture, so that all have the wanted bandwidth."""
        full = np.zeros((self._model.nv, self._model.nv))
        mujoco.mj_fullM(self._model, self._data, full)
        inertia = np.diag(full)[self._names.joint_dof]
        omega = 2.0 * math.pi * np.array([settings.rail_bandwidth, *([settings.bandwidth] * 6)])
        gain, damping = inertia * omega**2, 2.0 * settings.damping * inertia * omega
        for actuator, kp, kv in zip(self._names.actuators, gain, damping, strict=True):
            self._model.actuator_gainprm[actuator, 0] = kp
            self._model.actuator_biasprm[actuator, 1:3] = [-kp, -kv]
        return gain, damping

    @property
    def opening(self) -> float:
        """Return the true distance between the pads [m]."""
        left, right = self._fingers
        return float(self._qpos[left]) + float(self._qpos[right])

    @property
    def opening_set_point(self) -> float:
        return self._opening_now

    def command(self, position: Array, velocity: Array, valid_until: float, now: float) -> None:
        """Take new joint set points [m, rad; m/s, rad/s], shape (7,)."""
        self._target[:] = position
        self._velocity[:] = velocity
        self._valid_until = valid_until
        self._set_at = now

    def grip(self, opening: float, max_force: float, valid_until: float) -> None:
        """Move the pads towards `opening` [m] with at most `max_force` [N]; within what the hardware can do."""
        tool = self._scene.arm.tool
        self._opening_wanted = min(max(opening, tool.opening_min), tool.opening_max)
        self._force = min(max(max_force, 0.0), tool.force_max)
        self._grip_until = valid_until

    def hold(self) -> None:
        """Forget the running set points: slow down within the joints' acceleration and hold."""
        self._valid_until = -math.inf
        self._opening_wanted = self._opening_now

    def brake(self) -> None:
        """Lock the joints where they are."""
        self._reference = self._data.qpos[self._names.joint_qpos].copy()
        self._velocity[:] = 0.0
        self.hold()

    def apply(self, now: float, dt: float) -> None:
        """Write the actuators' controls for the physics step of length `dt` [s] that begins at `now`."""
        if now >= self._valid_until:
            step = self._brakes * dt
            self._velocity -= np.clip(self._velocity, -step, step)
            self._reference += self._velocity * dt
        else:
            self._reference = self._target + self._velocity * (now - self._set_at)
        self._ctrl[self._names.actuators] = self._reference + self._lead * self._velocity
        for joint in self.disconnected:
            self._ctrl[self._names.actuators[joint]] = self._qpos[self._names.joint_qpos[joint]]
        if now >= self._grip_until:
            self._opening_wanted = self._opening_now
        travel = self._scene.arm.tool.opening_velocity * dt
        self._opening_now += min(max(self._opening_wanted - self._opening_now, -travel), travel)
        lag = self.opening - self._opening_now
        if lag > 0.012 and self._opening_wanted < self._opening_now:  # pads are stopped by something: do not wind up
            self._opening_now += travel
        self._ctrl[self._names.gripper] = self._opening_now
        if self._force != self._force_set:
            self._model.actuator_forcerange[self._names.gripper] = [-self._force, self._force]
            self._force_set = self._force
