"""Average precision of a network in training on samples that were held out."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from vision.bench import ClassResult, average_precision
from vision.labelled import RIPE, UNRIPE
from vision.matching import Box, match
from vision.net.decode import DecodeSettings, decode
from vision.net.layout import SIZE_MULTIPLE
from vision.net.model import BerryNet
from vision.train.augment import box_of
from vision.train.cache import Cache, Sample


def check(net: BerryNet, cache: Cache, samples: list[Sample]) -> dict[str, Any]:
    """Return AP50 ripe, AP50 unripe and AP75 ripe of each set (the group's name up to its last underscore)."""
    found: dict[str, list[tuple[Sample, list[tuple[int, float, Box]]]]] = {}
    for sample in samples:
        name = sample.group.split("_")[0]
        found.setdefault(name, []).append((sample, _found(net, cache.picture(sample))))
    rows = ((RIPE, 0.5), (UNRIPE, 0.5), (RIPE, 0.75))
    return {name: [round(_precision(looked, kind, least), 3) for kind, least in rows] for name, looked in found.items()}


@torch.no_grad()
def _found(net: BerryNet, picture: npt.NDArray[np.uint8]) -> list[tuple[int, float, Box]]:
    h, w = picture.shape[:2]
    padded = np.full((*(-(-n // SIZE_MULTIPLE) * SIZE_MULTIPLE for n in (h, w)), 3), 114, np.uint8)
    padded[:h, :w] = picture
    head, _ = net(torch.from_numpy(padded.transpose(2, 0, 1).copy())[None].float())
    berries = decode(head[0].numpy(), DecodeSettings())
    kinds = np.where(berries.ripeness >= 0.5, RIPE, UNRIPE)
    boxes = [(float(b[0]), float(b[1]), float(b[2]), float(b[3])) for b in berries.boxes]
    return list(zip(kinds.tolist(), berries.scores.tolist(), boxes, strict=True))


def _precision(looked: list[tuple[Sample, list[tuple[int, float, Box]]]], kind: int, least: float) -> float:
    matched: list[tuple[float, bool]] = []
    positives = 0
    for sample, found in looked:
        if kind == UNRIPE and not sample.unripe_labelled:
            continue
        limit = [sample.size[1], sample.size[0]] * 2
        wanted = [np.clip(box_of(f), 0, limit) for f in sample.fruit if f.ripe == (kind == RIPE)]
        truth = [(float(b[0]), float(b[1]), float(b[2]), float(b[3])) for b in wanted]
        positives += len(truth)
        matched += match([(score, box) for k, score, box in found if k == kind], truth, least)
    return average_precision(
        ClassResult(
            scores=np.array([m[0] for m in matched], np.float64),
            hits=np.array([m[1] for m in matched], bool),
            positives=positives,
        )
    )
