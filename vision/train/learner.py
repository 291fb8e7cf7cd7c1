"""What changes while learning: weights, the optimiser and the averaged weights; kept in a checkpoint."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vision.net.layout import VERSION
from vision.net.model import BerryNet, NetSettings

_KEPT = {"epoch", "model", "optimiser", "average", "steps"}
_ADVICE = "name another one, or remove it to begin anew"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """What changes while learning."""

    model: BerryNet
    optimiser: torch.optim.Optimizer
    average: Average


def new_learner(net: NetSettings, *, seed: int, rate: float, decay: float, average: float) -> Learner:
    """Return a network drawn at random with an optimiser (AdamW; no decay of biases and norms) and its average."""
    torch.manual_seed(seed)
    model = BerryNet(net).to(memory_format=torch.channels_last)
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return Learner(model=model, optimiser=torch.optim.AdamW(groups, lr=rate), average=Average(model, average))


def averaged(average: Average, net: NetSettings) -> BerryNet:
    """Return a network in evaluation mode with the averaged weights."""
    model = BerryNet(net)
    model.load_state_dict(average.state)
    model.eval()
    return model


def keep(path: Path, learner: Learner, epoch: int, about: dict[str, Any]) -> None:
    """Write a checkpoint after `epoch` epochs, whole or not at all; `about` says what it is of."""
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


def resume(path: Path, learner: Learner) -> int:
    """Take up what `path` holds and return the number of epochs done; 0 where there is no such file.

    Raises:
        ValueError: it is damaged, no checkpoint, or of another version or network.
    """
    if not path.exists():
        return 0
    try:
        state = torch.load(path, weights_only=True)
    except (OSError, EOFError, KeyError, ValueError, RuntimeError, pickle.UnpicklingError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"{path} is damaged or no checkpoint ({reason}): {_ADVICE}") from None
    if not isinstance(state, dict) or "version" not in state:
        raise ValueError(f"{path} is no checkpoint of a training run: {_ADVICE}")
    if state["version"] != VERSION:
        raise ValueError(f"{path} is of version {state['version']}, expected {VERSION}: train from the start elsewhere")
    missing = _KEPT - set(state)
    if missing:
        raise ValueError(f"{path} is no whole checkpoint, {', '.join(sorted(missing))} missing: {_ADVICE}")
    try:
        learner.model.load_state_dict(state["model"])
        learner.optimiser.load_state_dict(state["optimiser"])
    except (RuntimeError, ValueError, KeyError):
        raise ValueError(f"{path} is of another network: {_ADVICE}") from None
    learner.average.state, learner.average.steps = state["average"], state["steps"]
    return int(state["epoch"])
