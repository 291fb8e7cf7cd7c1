"""How well and how fast the robot picks simulated beds: every node in one process, berries seen in pixels only.

Simulation is not the field: the damage limits are assumptions, and no plant here is a real one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from robot.nodes.convert import RELIABLE, to_time
from robot.ros.interfaces import berry_msgs
from robot.ros.node import Node
from sim import truth
from sim.bench.figures import figures
from sim.cell import CellSettings
from sim.lockstep import Lockstep
from sim.rig import Rig, RigSettings
from sim.scenarios.card import Card, cell_settings, load_card
from sim.scenarios.scene_file import deal
from sim.scene import SceneSettings
from sim.scene.settings import Mix
from vision import default_detector

RIPE_PER_BED = 19
"""Ripe fruit on one bed side of four segments at the card's density."""

NEXT_BED = 100_003
"""Added to the seed for each further bed."""

SECONDS_PER_SEGMENT = 240.0
"""A harvest that takes longer than this is broken off and scored as it is [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvest:
    """One bed side, harvested.

    Attributes:
        outcomes: messages of the robot, in their order.
        score, score_half: the truth, with the damage limits and with half of them.
        seconds, cpu: simulated, and of one core [s].
    """

    outcomes: tuple[Any, ...]
    score: truth.Score
    score_half: truth.Score
    seconds: float
    cpu: float
    status: str


def run(
    seed: int,
    berries: int,
    *,
    settings: Sequence[CellSettings] | None = None,
    scene: SceneSettings | None = None,
    oracle: bool = False,
    force: float | None = None,
) -> dict[str, Any]:
    """Harvest beds with `berries` ripe fruit in all and return the figures.

    Args:
        seed: of the first bed.
        berries: ripe berries present; unripe ones hang among them at the card's ratio.
        settings: these cells instead of beds drawn by the card's mix.
        scene: this bed side instead; one that draws its fruit by class draws `berries` of them.
        oracle: true poses instead of perception.
        force: largest pad force [N]; default the card's.
    """
    card = load_card()
    cells = list(settings) if settings is not None else list(beds(card, seed, berries, scene))
    pressed = card.number("gripper", "pad_force") if force is None else force
    latency = card.number("camera", "latency")
    done = [
        harvest(cell, seed + NEXT_BED * k, oracle=oracle, force=pressed, latency=latency)
        for k, cell in enumerate(cells)
    ]
    return figures(done, seed=seed, camera_hz=card.number("camera", "rate"))


def beds(card: Card, seed: int, ripe: int, scene: SceneSettings | None = None) -> list[CellSettings]:
    """Return cells with `ripe` ripe berries in all: the card's mix over all beds together, dealt out at random.

    Args:
        scene: a bed side to draw on; one whose fruit is told is returned as it is.
    """
    if scene is not None and scene.mix is None:
        return [cell_settings(card, scene)]
    base = scene or SceneSettings(leaf_occlusion=card.number("crop", "leaf_occlusion"))
    share = card.number("crop", "unripe_per_m") / card.number("crop", "ripe_per_m")
    shares = card.numbers("crop", "mix")
    if base.mix is not None:
        share = base.mix.unripe / base.mix.ripe
        counted = (base.mix.isolated, base.mix.partly_hidden, base.mix.cluster, base.mix.enclosed)
        shares = [count / base.mix.ripe for count in counted]
    whole = deal(ripe, round(share * ripe), shares)
    classes = np.repeat(np.arange(4), [whole.isolated, whole.partly_hidden, whole.cluster, whole.enclosed])
    classes = np.random.default_rng([seed, 0xDEA1]).permutation(classes)
    full = base.mix.ripe if base.mix is not None else RIPE_PER_BED
    return [cell_settings(card, _bed(card, base, classes[k : k + full], share)) for k in range(0, ripe, full)]


def _bed(card: Card, base: SceneSettings, classes: Any, unripe: float) -> SceneSettings:
    counts = [int(np.count_nonzero(classes == k)) for k in range(4)]
    mix = Mix(
        isolated=counts[0],
        partly_hidden=counts[1],
        cluster=counts[2],
        enclosed=counts[3],
        unripe=round(unripe * len(classes)),
    )
    length = base.length
    if base.mix is None:
        segments = math.ceil(len(classes) / card.number("crop", "ripe_per_m") / base.segment_length - 1e-9)
        length = segments * base.segment_length
    return replace(base, mix=mix, length=length, berries=mix.ripe + mix.unripe)


def harvest(
    settings: CellSettings,
    seed: int,
    *,
    segments: Sequence[int] | None = None,
    force: float = 1.0,
    oracle: bool = False,
    latency: float = 0.1,
) -> Harvest:
    """Harvest one bed side in lockstep; `segments` harvests these only."""
    scene = settings.scene
    visible = truth.visible_shares(scene, seed)
    clock = Lockstep(epoch=settings.epoch)
    rig = Rig(clock, RigSettings(cell=settings, seed=seed, oracle=oracle, latency=latency), default_detector())
    outcomes: list[Any] = []
    status: list[str] = []
    watcher = Node("bench", context=rig.context, namespace=rig.settings.namespace)
    watcher.create_subscription(berry_msgs.msg.PickOutcome, "picks", outcomes.append, RELIABLE)
    watcher.create_subscription(
        berry_msgs.msg.OrderStatus, "orders/status", lambda message: status.append(message.status), RELIABLE
    )
    wanted = list(segments) if segments is not None else list(range(math.ceil(scene.length / scene.segment_length)))
    order = berry_msgs.srv.SubmitOrder.Request(
        id="bench",
        issuer="bench",
        expires_at=to_time(clock.now() + 86400.0),
        bed=rig.settings.bed,
        side="a",
        segments=wanted,
        segment_length=scene.segment_length,
        ripeness_min=truth.WINDOW[0],
        ripeness_max=truth.WINDOW[1],
        speed=1.0,
        force=force,
    )
    watcher.create_client(berry_msgs.srv.SubmitOrder, "orders/submit").call_async(order)
    began = time.process_time()
    clock.run(until=lambda: status[-1:] in (["done"], ["failed"]), seconds=SECONDS_PER_SEGMENT * len(wanted))
    cpu = time.process_time() - began
    result = Harvest(
        outcomes=tuple(outcomes),
        score=truth.score(rig.cell, visible=visible),
        score_half=truth.score(rig.cell, visible=visible, damage=settings.damage.scaled(0.5)),
        seconds=clock.monotonic(),
        cpu=cpu,
        status=status[-1] if status else "not begun",
    )
    rig.close()
    return result
