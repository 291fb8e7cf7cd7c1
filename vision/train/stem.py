"""Teach the network that corrects cut points: `python -m vision.train.stem RENDERED... --out FILE`."""

from __future__ import annotations

import argparse
import json
import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vision.camera.pictures import load_picture
from vision.detect.network import NetworkDetector
from vision.locate import LocateSettings, locate_all
from vision.matching import intersection_over_union
from vision.report import SHOWN_FROM
from vision.stem_learnt import ALONG, ASIDE, CHANNELS, STRIDES, VALUES, VERSION, Around
from vision.types import Detector, Frame, Intrinsics

log = logging.getLogger(__name__)

Array = npt.NDArray[np.float64]

DEPTH_STEP = 1e-4
"""Counts of the rendered depth pictures [m]."""

_WIDTHS, _HIDDEN = (12, 16, 24), 48
_LEAST_OVERLAP = 0.3
_MOST = 12.0
"""Errors beyond are other faults than those to be learnt: they count as this [mm]."""


@dataclass(slots=True, kw_only=True)
class _Listener:
    """A corrector that corrects nothing and keeps what it was told last."""

    last: Around | None = None

    def __call__(self, around: Around) -> tuple[Array, Array]:
        self.last = around
        return np.zeros((len(around.values), 3)), np.ones((len(around.values), 3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """What cuts were told and how far off they were along the three ways [mm], float32."""

    depths: list[npt.NDArray[np.float32]] = field(default_factory=list)
    values: list[npt.NDArray[np.float32]] = field(default_factory=list)
    errors: list[npt.NDArray[np.float32]] = field(default_factory=list)


def lessons_of(folders: Sequence[Path], eyes: Detector) -> Lessons:
    """Return the lessons of the fruit that `eyes` find in rendered pictures and whose stem is seen at the cut.

    Raises:
        ValueError: a folder is not one that `berrybrain sim render` wrote.
    """
    lessons = Lessons()
    for frame, up, fruit in (found for folder in folders for found in _frames(folder)):
        listener = _Listener()
        usual = LocateSettings()
        berries = locate_all(
            [d for d in eyes.detect(frame.color) if d.score >= SHOWN_FROM],
            frame,
            replace(usual, stem=replace(usual.stem, learnt=listener)),
            up=up,
        )
        around = listener.last
        if around is None:
            continue
        overlaps = np.array([[intersection_over_union(b.detection.box, f["box"]) for f in fruit] for b in berries])
        for i, berry in enumerate(berries):
            best = int(overlaps[i].argmax()) if overlaps.size else -1
            if best < 0 or overlaps[i, best] < max(_LEAST_OVERLAP, overlaps[:, best].max()):
                continue
            if not (around.known[i] and fruit[best]["cut_visible"]) or berry.peduncle is None:
                continue
            off = np.linalg.solve(around.ways[i].T, np.array(fruit[best]["cut"]) - berry.peduncle)
            lessons.depths.append(around.depths[i])
            lessons.values.append(around.values[i])
            lessons.errors.append(np.clip(1e3 * off, -_MOST, _MOST).astype(np.float32))
    return lessons


def _frames(folder: Path) -> Iterator[tuple[Frame, Array, list[dict[str, Any]]]]:
    names = sorted(p.stem for p in (folder / "truth").glob("*.json"))
    if not names:
        raise ValueError(f"expected truth/NAME.json below {folder}, found none: write it with `berrybrain sim render`")
    for name in names:
        truth = json.loads((folder / "truth" / f"{name}.json").read_text(encoding="utf-8"))
        camera = Intrinsics(**{k: truth["camera"][k] for k in ("width", "height", "fx", "fy", "cx", "cy")})
        counts = cv2.imread(str(folder / "depth_measured" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
        if counts is None:
            raise ValueError(f"expected depth_measured/{name}.png below {folder}, found none: render it again")
        frame = Frame(
            stamp=0.0,
            color=load_picture(folder / "images" / f"{name}.jpg"),
            intrinsics=camera,
            depth=counts.astype(np.float32) * np.float32(DEPTH_STEP),
        )
        yield frame, np.array(truth["T_world_camera"])[2, :3], truth["fruit"]


class TorchStemNet(nn.Module):
    """`vision.stem_learnt.StemNet`, to be taught."""

    def __init__(self) -> None:
        super().__init__()
        inputs = (CHANNELS, *_WIDTHS[:-1])
        self.conv = nn.ModuleList(
            nn.Conv2d(i, o, 3, stride, 1) for i, o, stride in zip(inputs, _WIDTHS, STRIDES, strict=True)
        )
        rows, columns = len(ALONG), len(ASIDE)
        for stride in STRIDES:
            rows, columns = -(-rows // stride), -(-columns // stride)
        self.hidden = nn.Linear(_WIDTHS[-1] * rows * columns + VALUES, _HIDDEN)
        self.norm, self.out = nn.LayerNorm(_HIDDEN), nn.Linear(_HIDDEN, 6)

    def forward(self, depths: Tensor, values: Tensor) -> Tensor:
        x = depths
        for conv in self.conv:
            x = F.relu(conv(x))
        x = F.dropout(torch.cat([x.flatten(1), values], dim=1), 0.3, self.training)
        x = F.dropout(F.relu(self.norm(self.hidden(x))), 0.2, self.training)
        told: Tensor = self.out(x)
        return told


def teach(
    lessons: Lessons, *, epochs: int, seed: int = 0, rate: float = 1.5e-3, batch: int = 96, keep: float = 0.995
) -> dict[str, npt.NDArray[np.float32]]:
    """Return the weights, an average over the last steps, after `epochs` passes over the lessons.

    Args:
        keep: of the weights' exponential average per step.
    """
    torch.manual_seed(seed)
    depths, values, errors = (
        torch.from_numpy(np.stack(part)) for part in (lessons.depths, lessons.values, lessons.errors)
    )
    net = TorchStemNet()
    average = {k: v.detach().clone() for k, v in net.state_dict().items()}
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=0.05)
    net.train()
    for epoch in range(epochs):
        for group in optimiser.param_groups:
            group["lr"] = rate * (0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * epoch / epochs)))
        for chosen in torch.randperm(len(errors)).split(batch):
            told = net(depths[chosen], values[chosen])
            scale = told[:, 3:].clamp(-2.0, 3.0)
            loss = ((told[:, :3] - errors[chosen]).abs() * (-scale).exp() + scale).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            with torch.no_grad():
                for k, v in net.state_dict().items():
                    average[k].lerp_(v, 1.0 - keep)
    return _named(average)


def _named(state: dict[str, Tensor]) -> dict[str, npt.NDArray[np.float32]]:
    named = {
        "hidden": state["hidden.weight"],
        "hidden_bias": state["hidden.bias"],
        "norm": state["norm.weight"],
        "norm_bias": state["norm.bias"],
        "out": state["out.weight"],
        "out_bias": state["out.bias"],
    }
    for i in range(len(STRIDES)):
        named |= {f"conv{i}": state[f"conv.{i}.weight"].flatten(1), f"conv{i}_bias": state[f"conv.{i}.bias"]}
    return {k: v.numpy().astype(np.float32) for k, v in named.items()}


def write_stem_net(path: Path, weights: dict[str, npt.NDArray[np.float32]]) -> None:
    """Write what `vision.stem_learnt.read_stem_net` reads."""
    with path.open("wb") as file:
        content: dict[str, Any] = {k: v.astype(np.float16) for k, v in weights.items()}
        np.savez_compressed(file, **content, version=np.array(VERSION))


def main() -> None:
    """Teach from folders of `berrybrain sim render --near` and write the network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rendered", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    lessons = lessons_of(given.rendered, NetworkDetector())
    log.info("%d stems", len(lessons.errors))
    write_stem_net(given.out, teach(lessons, epochs=given.epochs, seed=given.seed))


if __name__ == "__main__":
    main()
