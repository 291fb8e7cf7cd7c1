"""The simulated bed and robot as one MuJoCo model, built from settings and a seed."""

from __future__ import annotations

from sim.scene.build import Scene, build_scene
from sim.scene.names import Names
from sim.scene.plants import Bed, BerrySpec, grow
from sim.scene.settings import Cultivar, SceneSettings, StageShares

__all__ = ["Bed", "BerrySpec", "Cultivar", "Names", "Scene", "SceneSettings", "StageShares", "build_scene", "grow"]
