"""Measured joints of the last seconds, so that a picture can be placed where the camera was when it was exposed."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

from robot.nodes.convert import to_seconds

Array = npt.NDArray[np.float64]

KEPT = 200
"""Samples kept; four seconds at 50 Hz."""


class JointHistory:
    """Joints by time, linear in between. Feed it `sensor_msgs/JointState`."""

    def __init__(self, names: tuple[str, ...], gripper: str = "gripper_joint") -> None:
        self._names = names
        self._gripper = gripper
        self._samples: deque[tuple[float, Array]] = deque(maxlen=KEPT)
        self.opening = 0.0
        self.force = 0.0

    def add(self, message: Any) -> None:
        names = list(message.name)
        position = dict(zip(names, message.position, strict=False))
        if any(name not in position for name in self._names):
            return
        self._samples.append((to_seconds(message.header.stamp), np.array([position[n] for n in self._names])))
        if self._gripper in position:
            self.opening = float(position[self._gripper])
            self.force = float(dict(zip(names, message.effort, strict=False)).get(self._gripper, 0.0))

    @property
    def known(self) -> bool:
        return bool(self._samples)

    def newest(self) -> Array:
        """Return the newest joints [m, rad], shape (n,). Raises `LookupError` before the first message."""
        if not self._samples:
            raise LookupError("no joint state has arrived yet")
        return self._samples[-1][1]

    def at(self, instant: float) -> Array:
        """Return the joints at a UTC epoch [s], shape (n,); held at both ends of what is kept.

        Raises:
            LookupError: no joint state has arrived yet.
        """
        after: tuple[float, Array] | None = None
        for stamp, joints in reversed(self._samples):
            if stamp <= instant:
                if after is None:
                    return joints
                share = (instant - stamp) / (after[0] - stamp)
                return joints + share * (after[1] - joints)
            after = (stamp, joints)
        if after is None:
            raise LookupError("no joint state has arrived yet")
        return after[1]
