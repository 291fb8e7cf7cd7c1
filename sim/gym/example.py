"""An example that runs: a scripted picker in `PickEnv`, its episodes recorded. `python -m sim.gym.example --out DIR`"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sim.gym.env import FREE_Y, RIPE, STROKE, Observation, PickEnv
from sim.gym.record import Recorder

Action = npt.NDArray[np.float32]

PICTURE_Y, PICTURE_Z = 0.38, 0.97
"""Where the tool stands while it looks for the next berry, world y and z [m]."""

AT = 0.006
"""So near to a place counts as there [m]."""


class ScriptedPicker:
    """Goes for the nearest ripe berry it sees: in front of it, in, close and cut, out; else on along the bed."""

    def __init__(self) -> None:
        self._last: float | None
        self._goal: npt.NDArray[np.float32] | None = None
        self._onward, self._last = 1.0, None

    def act(self, seen: Observation) -> Action:
        """Return the next action."""
        tool, (opening, force) = seen["tool"], seen["jaws"]
        if force > 0.1 and opening > 0.008:  # it holds: out of the crop
            self._goal = None
            return self._towards(np.array([0.0, PICTURE_Y - tool[1], 0.0]))
        if opening < 0.03:  # closed on nothing, or just laid down
            return np.array([0.0, 0.0, 0.0, 1.0, 0.0], dtype=np.float32)
        ripe = seen["berries"][(seen["berries"][:, 5] > 0.5) & (seen["berries"][:, 3] >= RIPE)]
        if len(ripe) and (self._goal is None or tool[1] <= FREE_Y):
            self._goal = tool + ripe[0, :3]
        if self._goal is None:
            return self._along(tool)
        way = self._goal - tool
        if np.abs(way).max() < AT:  # between the pads
            self._goal = None
            return np.array([0.0, 0.0, 0.0, -1.0, 1.0], dtype=np.float32)
        if np.hypot(way[0], way[2]) > AT:  # line up in front of it first
            return self._towards(np.array([way[0], min(0.0, PICTURE_Y + 0.04 - tool[1]), way[2]]))
        return self._towards(way)

    def _along(self, tool: npt.NDArray[np.float32]) -> Action:
        """Go on along the bed at the height of the pictures, and turn where it ends."""
        stuck = self._last is not None and abs(float(tool[0] - self._last)) < AT
        self._onward = -self._onward if stuck else self._onward
        self._last = None if stuck else float(tool[0])
        return self._towards(np.array([self._onward * STROKE, PICTURE_Y - tool[1], PICTURE_Z - tool[2]]))

    @staticmethod
    def _towards(way: npt.NDArray[np.floating]) -> Action:
        return np.array([*np.clip(way / STROKE, -1.0, 1.0), 0.0, 0.0], dtype=np.float32)


def main(arguments: list[str] | None = None, bed: PickEnv | None = None) -> int:
    """Pick some episodes, by default of `PickEnv`'s own bed side, and print how they went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="folder for the episodes")
    told = parser.parse_args(arguments)
    env = Recorder(bed or PickEnv(), told.out)
    for episode in range(told.episodes):
        picker, total, over = ScriptedPicker(), 0.0, False
        seen, info = env.reset(seed=told.seed + episode)
        while not over:
            seen, reward, terminated, truncated, info = env.step(picker.act(seen))
            total, over = total + reward, terminated or truncated
        line = f"episode {episode}: reward {total:.2f}, {info['placed']} placed, {info['hanging']} left hanging"
        print(f"{line}, {info['wrong']} wrong, {info['seconds']:.1f} s simulated")  # noqa: T201 (an example talks)
    env.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
