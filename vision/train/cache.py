"""Training pictures decoded once: one file of raw pixels that is mapped into memory, and the fruit beside it."""

from __future__ import annotations

import hashlib
import logging
import pickle
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from vision.camera.pictures import load_picture
from vision.labelled import LabelledPicture, labelled_pictures
from vision.train.fruit import Fruit, fruit_of_box
from vision.train.rendered import rendered_pictures
from vision.train.tighten import outlined, untwisted, with_ripeness
from vision.train.upright import upright_of, with_calyx

log = logging.getLogger(__name__)

SIDE = 640
"""Pictures are reduced to this longest side and padded to a square [px]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A training picture: where its pixels are and what is on it.

    Attributes:
        group: near duplicates share it; held out together.
        size: height and width that are picture, the rest is padding [px].
        unripe_labelled: whether a fruit that is not labelled is surely not unripe.
        up: linear map that brings the picture upright, shape (2, 2); None when it is upright or nobody knows.
    """

    name: str
    group: str
    index: int
    size: tuple[int, int]
    unripe_labelled: bool
    fruit: list[Fruit]
    block: int = 0
    up: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """Blocks of pixels, shape (n, SIDE, SIDE, 3) uint8 RGB each, and samples that point into them."""

    blocks: tuple[npt.NDArray[np.uint8], ...]
    samples: list[Sample]

    def picture(self, sample: Sample) -> npt.NDArray[np.uint8]:
        """Return the RGB picture of a sample, shape (*sample.size, 3)."""
        h, w = sample.size
        return self.blocks[sample.block][sample.index, :h, :w]


def joined(caches: Sequence[Cache]) -> Cache:
    """Return one cache with the samples of all."""
    blocks = tuple(b for c in caches for b in c.blocks)
    first = np.cumsum([0] + [len(c.blocks) for c in caches])
    samples = [replace(s, block=s.block + int(first[i])) for i, c in enumerate(caches) for s in c.samples]
    return Cache(blocks=blocks, samples=samples)


def build_rendered(folder: Path, target: Path, most: int | None = None) -> Cache:
    """Return the cache in `target` of rendered pictures in `folder`, made now if it is not there.

    Args:
        most: at most so many pictures.
    """
    count = len(list((folder / "truth").glob("*.json"))[:most])
    target.mkdir(parents=True, exist_ok=True)
    raw, table = target / f"{folder.name}-{count}.raw", target / f"{folder.name}-{count}.pickle"
    if not table.exists():
        pixels = np.memmap(raw, np.uint8, "w+", shape=(count, SIDE, SIDE, 3))
        samples = []
        for i, (name, group, color, fruit) in enumerate(islice(rendered_pictures(folder), count)):
            small = _reduced(color)
            scale = small.shape[1] / color.shape[1]
            pixels[i, : small.shape[0], : small.shape[1]] = small
            grown = np.array([[scale, 0, 0.5 * scale - 0.5], [0, scale, 0.5 * scale - 0.5]])
            samples.append(
                Sample(
                    name=name,
                    group=group,
                    index=i,
                    size=small.shape[:2],
                    unripe_labelled=True,
                    fruit=[f.moved(grown) for f in fruit],
                )
            )
        pixels.flush()
        with table.open("wb") as file:
            pickle.dump(samples, file)
    return _opened(raw, table)


def _opened(raw: Path, table: Path) -> Cache:
    with table.open("rb") as file:
        samples: list[Sample] = pickle.load(file)
    return Cache(blocks=(np.memmap(raw, np.uint8, "r", shape=(len(samples), SIDE, SIDE, 3)),), samples=samples)


def build(pictures_dir: Path, folder: Path, split: str = "train") -> Cache:
    """Return the cache of `pictures_dir` in `folder`, made now if it is not there for these very pictures."""
    pictures = list(labelled_pictures(pictures_dir, split))
    sign = hashlib.sha256("\n".join(f"{p.path.name} {p.path.stat().st_size}" for p in pictures).encode()).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    raw, table = folder / f"{split}-{sign[:12]}.raw", folder / f"{split}-{sign[:12]}.pickle"
    if not table.exists():
        _write(pictures, raw, table)
    return _opened(raw, table)


def _write(pictures: list[LabelledPicture], raw: Path, table: Path) -> None:
    groups: dict[str, list[int]] = defaultdict(list)
    for i, p in enumerate(pictures):
        groups[p.path.stem.rsplit("_", 1)[0]].append(i)
    pixels = np.memmap(raw, np.uint8, "w+", shape=(len(pictures), SIDE, SIDE, 3))
    samples: dict[int, Sample] = {}
    for number, (group, members) in enumerate(sorted(groups.items())):
        loaded = [_reduced(load_picture(pictures[i].path)) for i in members]
        fruit = [_labels(pictures[i], c) for i, c in zip(members, loaded, strict=True)]
        fruit, turns = untwisted(loaded, fruit)
        for k, (i, color, found) in enumerate(zip(members, loaded, fruit, strict=True)):
            up = upright_of(group, None if turns is None else turns[k])
            whole = with_ripeness(color, outlined(color, found))
            if up is not None:
                whole = [with_calyx(f, up) for f in whole]
            pixels[i, : color.shape[0], : color.shape[1]] = color
            samples[i] = Sample(
                name=pictures[i].path.stem,
                group=group,
                index=i,
                size=color.shape[:2],
                unripe_labelled=len(pictures[i].classes) == 2,
                fruit=whole,
                up=up,
            )
        if number % 20 == 0:
            log.info("prepared %d of %d pictures", len(samples), len(pictures))
    pixels.flush()
    with table.open("wb") as file:
        pickle.dump([samples[i] for i in range(len(pictures))], file)


def _reduced(color: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    scale = SIDE / max(color.shape[:2])
    size = (max(1, round(color.shape[1] * scale)), max(1, round(color.shape[0] * scale)))
    small: npt.NDArray[np.uint8] = cv2.resize(
        color, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    return small


def _labels(picture: LabelledPicture, color: npt.NDArray[np.uint8]) -> list[Fruit]:
    h, w = color.shape[:2]
    return [fruit_of_box(kind, (x0 * w, y0 * h, x1 * w, y1 * h)) for kind, x0, y0, x1, y1 in picture.boxes]
