"""The training loop: seeded, resumable, cosine schedule, averaged weights, progress after each epoch."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from vision.net.model import BerryNet, NetSettings
from vision.train.augment import AugmentSettings, draw
from vision.train.cache import Cache
from vision.train.learner import Learner, averaged, keep, new_learner, resume
from vision.train.loss import Batch, LossWeights, collate, losses
from vision.train.paste import FruitBank
from vision.train.targets import Targets, targets_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """How long and how fast to learn.

    Attributes:
        epochs: passes; an epoch draws `views` views.
        views: of an epoch; the sets' shares are given by `set_share`.
        set_share: share of the pictures drawn from a set, by the start of its name; inside a set a group is drawn by
            the root of its size, so that a photograph with fifteen versions does not count fifteen times.
        rate: greatest learning rate (AdamW), reached after `warmup` steps, then a cosine down to a hundredth.
        average: of the weights' exponential average per step.
    """

    epochs: int = 60
    views: int = 1200
    batch: int = 12
    rate: float = 2e-3
    decay: float = 0.02
    warmup: int = 300
    average: float = 0.998
    workers: int = 1
    threads: int = 2
    seed: int = 0
    half: bool = True
    set_share: dict[str, float] = field(
        default_factory=lambda: {"clusters": 0.5, "closeups": 0.28, "field_ripe_only": 0.22}
    )


class Views(torch.utils.data.Dataset[tuple[npt.NDArray[np.uint8], Targets]]):
    """Views of one epoch; view i of epoch e is the same whenever and wherever it is drawn."""

    def __init__(self, cache: Cache, augment: AugmentSettings, train: TrainSettings) -> None:
        self._cache, self._augment, self._train = cache, augment, train
        self._bank = FruitBank(cache)
        self.epoch = 0
        self._groups: dict[str, dict[str, list[int]]] = {}
        for i, sample in enumerate(cache.samples):
            name = next((s for s in train.set_share if sample.group.startswith(s)), "")
            self._groups.setdefault(name, {}).setdefault(sample.group, []).append(i)

    def __len__(self) -> int:
        return self._train.views

    def __getitem__(self, i: int) -> tuple[npt.NDArray[np.uint8], Targets]:
        cv2.setNumThreads(1)
        rng = np.random.default_rng((self._train.seed, self.epoch, i))
        view = draw(self._cache, lambda: self._pick(rng), self._augment, rng, self._bank)
        return view.picture, targets_of(view, rng)

    def _pick(self, rng: np.random.Generator) -> int:
        names = [n for n in self._groups if self._train.set_share.get(n, 0.0) > 0.0]
        share = np.array([self._train.set_share[n] for n in names])
        groups = self._groups[names[int(rng.choice(len(names), p=share / share.sum()))]]
        # Between even groups and even pictures.
        weight = np.sqrt([len(m) for m in groups.values()])
        members = list(groups.values())[int(rng.choice(len(groups), p=weight / weight.sum()))]
        return members[int(rng.integers(len(members)))]


def rate_at(step: int, total: int, s: TrainSettings) -> float:
    """Return the learning rate of a step."""
    if step < s.warmup:
        return s.rate * (step + 1) / s.warmup
    done = (step - s.warmup) / max(1, total - s.warmup)
    return s.rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))


def train(
    cache: Cache,
    folder: Path,
    *,
    settings: TrainSettings,
    augment: AugmentSettings,
    net: NetSettings,
    weights: LossWeights,
    check: Callable[[BerryNet], dict[str, Any]] | None = None,
    check_every: int = 5,
    clock: Callable[[], float] = time.monotonic,
    stop_at: float = math.inf,
    start: Path | None = None,
) -> BerryNet:
    """Train and return the averaged network; `folder/last.pt` lets a broken run go on where it was.

    Args:
        cache: training pictures.
        check: measures the averaged network every `check_every` epochs; its figures go to the log.
        stop_at: end after the epoch during which `clock` passes this.
        start: checkpoint to begin from, at the schedule's beginning, where `folder` has none.
    """
    torch.set_num_threads(settings.threads)
    folder.mkdir(parents=True, exist_ok=True)
    learner = new_learner(net, seed=settings.seed, rate=settings.rate, decay=settings.decay, average=settings.average)
    views = Views(cache, augment, settings)
    first = resume(folder / "last.pt", learner)
    if first == 0 and start is not None:
        if not start.exists():
            raise ValueError(f"expected a checkpoint to begin from at {start}, found none: name another")
        resume(start, learner)
    per_epoch = settings.views // settings.batch
    about = {"net": asdict(net), "settings": asdict(settings)}
    for epoch in range(first, settings.epochs):
        views.epoch = epoch
        begin = clock()
        sums: dict[str, float] = {}
        learner.model.train()
        for i, batch in enumerate(_batches(views, settings)):
            for group in learner.optimiser.param_groups:
                group["lr"] = rate_at(epoch * per_epoch + i, settings.epochs * per_epoch, settings)
            for name, value in _step(learner, batch, weights, half=settings.half).items():
                sums[name] = sums.get(name, 0.0) + value / per_epoch
        line: dict[str, Any] = {"epoch": epoch + 1, "of": settings.epochs, "s": round(clock() - begin, 1)}
        line |= {k: round(v, 3) for k, v in sums.items()}
        ended = epoch + 1 == settings.epochs or clock() > stop_at
        if check is not None and ((epoch + 1) % check_every == 0 or ended):
            line |= check(averaged(learner.average, net))
        log.info("%s", json.dumps(line))
        keep(folder / "last.pt", learner, epoch + 1, about)
        if ended:
            break
    return averaged(learner.average, net)


def _batches(views: Views, s: TrainSettings) -> Iterator[Batch]:
    loader = torch.utils.data.DataLoader(
        views,
        batch_size=s.batch,
        collate_fn=collate,
        num_workers=s.workers,
        drop_last=True,
        prefetch_factor=6 if s.workers else None,
    )
    yield from loader


def _step(learner: Learner, batch: Batch, weights: LossWeights, *, half: bool) -> dict[str, float]:
    x: Tensor = batch.pictures.float().to(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
        head, proto = learner.model(x)
    found = losses(head, proto, batch, weights)
    total = torch.stack(list(found.values())).sum()
    learner.optimiser.zero_grad(set_to_none=True)
    total.backward()
    nn.utils.clip_grad_norm_(learner.model.parameters(), 10.0)
    learner.optimiser.step()
    learner.average.update(learner.model)
    return {k: float(v.detach()) for k, v in found.items()}
