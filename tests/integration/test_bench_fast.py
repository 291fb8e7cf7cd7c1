"""`bench pick --tier fast`: a bed in the kinematic tier, judged by what lies in the punnet and repeated for a seed."""

from __future__ import annotations

from sim.bench.fast import run
from sim.scene.settings import Mix, SceneSettings

SMALL = SceneSettings(length=0.6, mix=Mix(isolated=2, unripe=1))


def test_a_bed_is_harvested_without_physics_and_the_figures_repeat() -> None:
    figures = run(3, 2, scene=SMALL)
    assert figures["tier"] == "fast"
    assert figures["overall"]["n"] == 2
    assert figures["overall"]["success"] == 1.0
    assert figures["overall"]["first_attempt"] <= figures["overall"]["success"]
    assert 2.0 < figures["overall"]["seconds_per_berry"] < 12.0
    assert figures["overall"]["reasons"] == {}
    again = run(3, 2, scene=SMALL)
    assert again["overall"] == figures["overall"]
