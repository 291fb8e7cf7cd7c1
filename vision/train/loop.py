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

from vision.net.layout import VERSION
from vision.net.model import BerryNet, NetSettings
from vision.train.augment import AugmentSettings, draw
from vision.train.cache import Cache
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


class Average:
    """Exponential average of a model's weights: what is evaluated and kept."""

    def __init__(self, model: nn.Module, keep: float) -> None:
        self._keep, self.steps = keep, 0
        self.state = {k: v.detach().clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        self.steps += 1
        keep = min(self._keep, (1 + self.steps) / (10 + self.steps))
        for name, value in model.state_dict().items():
            if value.dtype.is_floating_point:
                self.state[name].lerp_(value, 1 - keep)
            else:
                self.state[name].copy_(value)


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
    learner = _learner(settings, net)
    views = Views(cache, augment, settings)
    first = _resume(folder / "last.pt", learner)
    if first == 0 and start is not None:
        if not start.exists():
            raise ValueError(f"expected a checkpoint to begin from at {start}, found none: name another")
        _resume(start, learner)
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
        _keep(folder / "last.pt", learner, epoch + 1, about)
        if ended:
            break
    return averaged(learner.average, net)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Learner:
    """What changes while learning."""

    model: BerryNet
    optimiser: torch.optim.Optimizer
    average: Average


def _learner(s: TrainSettings, net: NetSettings) -> _Learner:
    torch.manual_seed(s.seed)
    model = BerryNet(net).to(memory_format=torch.channels_last)
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": s.decay},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return _Learner(model=model, optimiser=torch.optim.AdamW(groups, lr=s.rate), average=Average(model, s.average))


def averaged(average: Average, net: NetSettings) -> BerryNet:
    """Return a network in evaluation mode with the averaged weights."""
    model = BerryNet(net)
    model.load_state_dict(average.state)
    model.eval()
    return model


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


def _step(learner: _Learner, batch: Batch, weights: LossWeights, *, half: bool) -> dict[str, float]:
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


def _keep(path: Path, learner: _Learner, epoch: int, about: dict[str, Any]) -> None:
    state = {
        "version": VERSION,
        "epoch": epoch,
        **about,
        "model": learner.model.state_dict(),
        "optimiser": learner.optimiser.state_dict(),
        "average": learner.average.state,
        "steps": learner.average.steps,
    }
    partial = path.with_suffix(".part")
    torch.save(state, partial)
    partial.replace(path)


def _resume(path: Path, learner: _Learner) -> int:
    """Take up what `path` holds and return the number of epochs done; 0 where there is no such file."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    if state["version"] != VERSION:
        raise ValueError(f"{path} is of version {state['version']}, expected {VERSION}: train from the start elsewhere")
    learner.model.load_state_dict(state["model"])
    learner.optimiser.load_state_dict(state["optimiser"])
    learner.average.state, learner.average.steps = state["average"], state["steps"]
    return int(state["epoch"])
