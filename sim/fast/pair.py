"""Two robots on one rail before one bed side: each harvests its half, and holds a lease on the space it works in."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from robot.kinematics import link_frames
from robot.safety import RowSpace
from sim.fast.harvest import Ended, FastHarvest, FastSettings
from sim.scene.settings import Mix, SceneSettings

WINDOW = 0.4
"""Length of the stretches that are claimed and harvested one by one [m]."""

BEHIND, AHEAD = 0.55, 0.22
"""How far a robot at work in a window reaches beyond its ends: the carriage follows the tool, the punnet leads [m]."""

TRAILS, LEADS = 0.28, 0.11
"""How far its body reaches beyond its tool: behind it when that is over the punnet, and before it in the crop [m]."""

STANDS = 0.45
"""How far it reaches behind its tool while it stands before the crop [m]."""

GAP = 0.02
"""Kept free between the two [m]."""

BODY = (-0.15, 0.36)
"""The carriage with deck and punnet, from the arm's base along the rail [m]."""

FLESH = 0.09
"""Radius of the thickest link and of the open jaws [m]."""

EVERY = 5
"""Ticks between two looks at the distance between the robots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """How two robots did; `nearest`: the smallest free space between them along the rail [m]."""

    left: Ended
    right: Ended
    nearest: float
    waited: float

    @property
    def seconds(self) -> float:
        """Until the slower one had finished [s]."""
        return max(self.left.seconds, self.right.seconds)

    @property
    def picked(self) -> int:
        return self.left.counted + self.right.counted


def bed(berries: int, unripe: int) -> SceneSettings:
    """Return a bed side as long as one rail serves."""
    return SceneSettings(length=3.2, mix=Mix(isolated=berries, unripe=unripe))


def windows(scene: SceneSettings, begin: float, end: float) -> list[tuple[float, float]]:
    """Return the stretches of a part of the bed, from and to shares of its length."""
    count = round((end - begin) * scene.length / WINDOW)
    edges = scene.origin + scene.length * np.linspace(begin, end, count + 1)
    return [(float(a), float(b)) for a, b in pairwise(edges)]


class Pair:
    """Two harvests in one time: the left one in the first half, the right one in the second, both to the right."""

    def __init__(self, settings: FastSettings, seed: int) -> None:
        scene = settings.scene
        self.space = RowSpace(GAP)
        self._waits = 0
        middle = scene.origin + scene.length / 2.0
        self.left = self._robot(settings, seed, "left", scene.origin + 0.1, windows(scene, 0.0, 0.5))
        self.right = self._robot(settings, seed, "right", middle + 0.1, windows(scene, 0.5, 1.0))

    def _robot(
        self, settings: FastSettings, seed: int, name: str, home: float, parts: list[tuple[float, float]]
    ) -> FastHarvest:
        def gate(harvest: FastHarvest, window: tuple[float, float]) -> bool:
            """Claim the way there and the window, and fence the tool in; wait while that is not to be had."""
            x = float(harvest.monitor.tool()[0])
            begin, end = min(x - STANDS, window[0] - BEHIND), max(x, window[1]) + AHEAD
            if not self.space.claim(name, begin, end):
                self._waits += 1
                return False
            harvest.loop.fence(begin + TRAILS, end - LEADS)
            return True

        self.space.claim(name, home - STANDS, home + AHEAD)
        return FastHarvest(settings, seed, [], windows=parts, gate=gate, home=home)

    def run(self) -> Together:
        """Harvest the whole bed side."""
        nearest, tick = float("inf"), 0
        both = (self.left, self.right)
        for harvest in both:
            harvest.begin()
        while not all(harvest.over for harvest in both):
            for harvest in both:
                if not harvest.over:
                    harvest.step()
            tick += 1
            if tick % EVERY == 0:
                nearest = min(nearest, extent(self.right)[0] - extent(self.left)[1])
        waited = self._waits * 3 * 0.004
        return Together(left=self.left.ended(), right=self.right.ended(), nearest=nearest, waited=waited)


def extent(harvest: FastHarvest) -> tuple[float, float]:
    """Return from where to where a robot is along the rail by its true joints [m]."""
    q, arm = harvest.machine.q, harvest.arm
    links = link_frames(arm, q)[:, 0, 3]
    carriage = float(q[0] + arm.rail.base[0])
    return min(float(links.min()) - FLESH, carriage + BODY[0]), max(float(links.max()) + FLESH, carriage + BODY[1])


def compare(seed: int, berries: int) -> dict[str, Any]:
    """Harvest one bed side with one robot and with two; return both rates and their ratio."""
    settings = FastSettings(scene=bed(berries, berries // 2), limit=1000.0)
    alone = FastHarvest(settings, seed, []).run()
    pair = Pair(settings, seed).run()
    one, two = alone.counted / alone.seconds, pair.picked / pair.seconds
    return {
        "seed": seed,
        "ripe": alone.ripe,
        "picked_by_one": alone.counted,
        "picked_by_two": pair.picked,
        "seconds_one": round(alone.seconds, 1),
        "seconds_two": round(pair.seconds, 1),
        "waited_s": round(pair.waited, 1),
        "nearest_m": round(pair.nearest, 3),
        "unsafe": len(pair.left.findings.unsafe) + len(pair.right.findings.unsafe),
        "stops": [*pair.left.stops, *pair.right.stops],
        "ratio": round(two / one, 2),
    }
