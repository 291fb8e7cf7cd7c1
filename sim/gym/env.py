"""`PickEnv`: see berries, move the tool in strokes, close the jaws, cut; the robot lays down what was drawn out."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from sim.fast.row import Where
from sim.gym.hand import Hand
from sim.scene.settings import Mix, SceneSettings

Array = npt.NDArray[np.float32]
Observation = dict[str, Any]

SEEN = 16
"""Berries in an observation at most: the nearest to the tool that the camera sees."""

STROKE = 0.05
"""Length of a full stroke along each axis [m]."""

FREE_Y = 0.46
"""A tool that is not further in than this has drawn its fruit out of the crop, world y [m]."""

SPACE = ((0.30, 0.70), (0.72, 1.20))
"""Where strokes may end, world y and z [m]; along x a little beyond the bed."""

RIPE = 0.8
"""Ripeness from which a berry should be picked, 0-1."""

REWARD_PLACED, REWARD_WRONG, REWARD_REFUSED, REWARD_STOPPED, REWARD_SECOND = 1.0, -1.0, -0.05, -1.0, -0.02
"""For a ripe berry in the punnet; one taken unripe or dropped; a refused action; a stop of the robot; each simulated
second. A policy at a picker's pace of 4 s gets 0.92 a berry."""


class PickEnv(gymnasium.Env[Observation, Array]):
    """A bed side in the kinematic tier, to be picked: nothing swings, hides or gives way; it is for learning the task.

    Observation (all float32): `joints` (7,) measured rail [m] and arm [rad]; `tool` (3,) measured place in the world
    [m]; `jaws` (2,) opening [m] and force [N]; `berries` (16, 6), nearest first: from the tool to the berry along world
    x, y, z [m], ripeness, diameter [m], 1 where a berry is seen, else the row is 0. Only what the camera on the hand
    sees, with noise.

    Action (5,) in -1..1: stroke of the tool along world x, y, z in shares of 50 mm; jaws: close below -0.33, open above
    0.33; blade: sweeps above 0.5, if the interlock allows. In this order: jaws, blade, stroke. Every stroke goes
    through planner, control loop and safety layer, which may refuse it.

    Fruit that is held and drawn out of the crop (tool at y <= 0.46 m) is laid into the punnet by the robot's own skill;
    its time counts. The episode ends when no ripe berry hangs any more or the safety layer has stopped the robot; it is
    cut short after `max_steps`.

    Args:
        scene: the bed side; by default 1.2 m with 3 ripe and 2 unripe berries.
        force: pad force when closing [N].
        max_steps: actions in an episode at most.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 (Gymnasium's own declaration)

    def __init__(self, scene: SceneSettings | None = None, *, force: float = 1.0, max_steps: int = 400) -> None:
        mix = Mix(isolated=2, partly_hidden=1, unripe=2)
        self.scene = scene or SceneSettings(length=1.2, mix=mix)
        self._force, self._max_steps = force, max_steps
        self._hand: Hand | None = None
        self._steps = 0
        high = np.array([[4.0, 4.0, 4.0, 1.0, 0.1, 1.0]] * SEEN, dtype=np.float32)
        low = np.array([[-4.0, -4.0, -4.0, 0.0, 0.0, 0.0]] * SEEN, dtype=np.float32)
        self.observation_space = spaces.Dict(
            {
                "joints": spaces.Box(-10.0, 10.0, (7,), np.float32),
                "tool": spaces.Box(-10.0, 10.0, (3,), np.float32),
                "jaws": spaces.Box(0.0, 50.0, (2,), np.float32),
                "berries": spaces.Box(low, high, dtype=np.float32),
            }
        )
        self.action_space = spaces.Box(-1.0, 1.0, (5,), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Hang the fruit of a seed before a parked robot; without a seed, the next in the environment's own row."""
        super().reset(seed=seed)
        self._hand = Hand(self.scene, int(self.np_random.integers(2**31)))
        self._steps = 0
        return self._observe(), self._info("")

    def step(self, action: Array) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Do one action to its end.

        Raises:
            ValueError: the action is not five finite numbers, or `reset` was not called.
        """
        hand = self._running()
        wanted = np.asarray(action, dtype=np.float64)
        if wanted.shape != (5,) or not np.isfinite(wanted).all():
            raise ValueError(f"expected an action of 5 finite numbers, got {action}")
        wanted = np.clip(wanted, -1.0, 1.0)
        self._steps += 1
        begun, before = hand.monotonic(), self._counts()
        refused = self._do(hand, wanted)
        if not hand.stopped and hand.tool[1] <= FREE_Y and hand.row.count(Where.HELD):
            refused = hand.lay_down() or refused
        seen = self._observe()  # its time counts too
        placed, wrong = np.array(self._counts()) - before
        reward = REWARD_PLACED * placed + REWARD_WRONG * wrong + REWARD_SECOND * (hand.monotonic() - begun)
        reward += REWARD_REFUSED * bool(refused) + REWARD_STOPPED * hand.stopped
        done = hand.stopped or not hand.count(Where.HANGING, RIPE) + hand.count(Where.HELD, RIPE)
        return seen, float(reward), done, self._steps >= self._max_steps, self._info(refused)

    def _do(self, hand: Hand, wanted: npt.NDArray[np.float64]) -> str:
        """Jaws, then blade, then stroke; return what was refused first."""
        refused = ""
        if wanted[3] < -0.33:
            refused = hand.close(self._force)
        elif wanted[3] > 0.33:
            refused = hand.open()
        if wanted[4] > 0.5:
            refused = hand.cut() or refused
        if np.abs(wanted[:3]).max() < 0.02:
            return refused
        (y_low, y_high), (z_low, z_high) = SPACE
        low = [self.scene.origin - 0.1, y_low, z_low]
        high = [self.scene.origin + self.scene.length + 0.1, y_high, z_high]
        return hand.stroke(np.clip(hand.tool + STROKE * wanted[:3], low, high), 1.0) or refused

    def _observe(self) -> Observation:
        hand = self._running()
        berries = np.zeros((SEEN, 6), dtype=np.float32)
        tool = hand.tool
        seen = sorted(hand.look(), key=lambda berry: float(np.linalg.norm(berry.position - tool)))
        for row, sighting in zip(berries, seen, strict=False):
            row[:3] = sighting.position - tool
            row[3:] = sighting.berry.detection.ripeness, sighting.berry.diameter, 1.0
        gripper = hand.loop.gripper
        return {
            "joints": hand.loop.joints.position.astype(np.float32),
            "tool": tool.astype(np.float32),
            "jaws": np.array([gripper.opening, gripper.force], dtype=np.float32),
            "berries": berries,
        }

    def _counts(self) -> tuple[int, int]:
        """Return how many ripe berries are in the punnet, and how many berries were dropped or placed unripe."""
        hand = self._running()
        ripe, placed = hand.count(Where.PLACED, RIPE), hand.row.count(Where.PLACED)
        return ripe, placed - ripe + hand.row.count(Where.DROPPED)

    def _info(self, refused: str) -> dict[str, Any]:
        hand = self._running()
        placed, wrong = self._counts()
        return {
            "seconds": hand.monotonic(),
            "placed": placed,
            "wrong": wrong,
            "hanging": hand.count(Where.HANGING, RIPE),
            "refused": refused,
            "stopped": hand.stopped,
        }

    def _running(self) -> Hand:
        if self._hand is None:
            raise ValueError("expected reset() before anything else")
        return self._hand
