"""The picking program of a kinematic harvest: round after round of the picking tree, until nothing is left."""

from __future__ import annotations

from itertools import count
from typing import Any

from py_trees.common import Status

from robot.arms import ArmDescription
from robot.pick.candidates import Window
from robot.pick.crop import TrackedCrop
from robot.pick.punnet import PlacePattern
from robot.pick.result import Outcome
from robot.pick.round import Job, PunnetInUse, Round
from robot.pick.settings import PickSettings
from robot.pick.survey import survey_views
from robot.pick.tree import picking_tree
from sim.fast.body import FastBody
from sim.scene.settings import SceneSettings


class Picking:
    """What the picker's process does; its journal and punnet outlive it.

    Attributes:
        journal: every candidate's outcome.
        done: a round ended by itself: there is nothing left to pick.
    """

    def __init__(self, arm: ArmDescription, scene: SceneSettings, body: FastBody) -> None:
        self._arm, self._scene, self._body = arm, scene, body
        self.journal: list[Outcome] = []
        self.done = False
        self._numbers = count(1)
        self._punnet = PunnetInUse(pattern=PlacePattern(shape=arm.punnet), new_id=lambda: f"p{next(self._numbers)}")
        self._round: Round | None = None
        self._tree: Any = None

    def die(self) -> None:
        """Lose what is in hand: the round, not the journal."""
        self._round = None

    def turn(self) -> None:
        """Let the tree think once; a round begins when motion is allowed."""
        if self._round is None:
            if not self._body.safety().motion_allowed:
                return
            self._round = self._new_round()
            self._tree = picking_tree(self._round)
        self._tree.tick_once()
        if self._tree.status is not Status.RUNNING:
            stopped = self._round.stopped
            self._round = None
            if stopped is None and self._body.safety().motion_allowed:
                self.done = True

    def _new_round(self) -> Round:
        self._punnet.begin()
        scene = self._scene
        job = Job(
            order_id="row",
            bed="bed",
            side="a",
            segment=0,
            window=Window(start=scene.origin, end=scene.origin + scene.length),
        )
        round_ = Round(
            job=job,
            body=self._body,
            crop=TrackedCrop(),
            tool=self._arm.tool,
            punnet=self._punnet,
            settings=PickSettings(),
            report=self.journal.append,
        )
        at = float(self._body.tool_pose()[0, 3])
        round_.views = survey_views(job.window, self._arm.camera, round_.settings, at)
        return round_
