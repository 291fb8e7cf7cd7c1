"""From folders of pictures to model files: prepare, train, export, and write down what it was made of."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vision.labelled import labelled_pictures
from vision.net.model import BerryNet, NetSettings
from vision.train.augment import AugmentSettings
from vision.train.cache import Cache, Sample, build, build_rendered, joined
from vision.train.calyxes import load_labels, with_labels
from vision.train.check import check
from vision.train.export import export
from vision.train.loop import TrainSettings, train
from vision.train.loss import LossWeights

log = logging.getLogger(__name__)

_CALIBRATION = 200
_SHARES = {"clusters": 0.34, "closeups": 0.2, "field_ripe_only": 0.13, "rendered": 0.33}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """Where pictures are, and how to train.

    Attributes:
        pictures: folder of labelled sets, `<set>/train/{images,labels}`; `val` is never opened.
        rendered: folders that `berrybrain sim render` wrote.
        out: cache, checkpoint, log and models go here; a run that was broken off goes on from its checkpoint.
        hold_out: groups of `train` to measure on while training, by name.
        start: checkpoint to begin from instead of at random; its schedule is forgotten, not its moments.
    """

    pictures: Path
    rendered: tuple[Path, ...]
    out: Path
    hold_out: tuple[str, ...] = ()
    start: Path | None = None
    train: TrainSettings = field(default_factory=lambda: TrainSettings(set_share=_SHARES))


def run(settings: RunSettings) -> Path:
    """Train as `settings` say and return the folder of the model files.

    Raises:
        ValueError: the pictures are not laid out as expected.
    """
    # The loop's workers are forked: OpenCV's threads, once begun, would never answer there.
    cv2.setNumThreads(0)
    cache = settings.out / "cache"
    if len({folder.name for folder in settings.rendered}) < len(settings.rendered):
        raise ValueError(
            "expected folders of rendered pictures with different names: their caches are told apart by them"
        )
    real = with_labels(build(settings.pictures, cache), load_labels())
    everything = joined([real, *(build_rendered(folder, cache) for folder in settings.rendered)])
    held = [s for s in everything.samples if s.group in settings.hold_out]
    learnt = Cache(
        blocks=everything.blocks, samples=[s for s in everything.samples if s.group not in settings.hold_out]
    )
    shares = _shares(settings.train.set_share, learnt.samples)
    log.info("%d pictures to learn from, %d held out", len(learnt.samples), len(held))

    def measure(net: BerryNet) -> dict[str, Any]:
        return check(net, everything, held)

    net = train(
        learnt,
        settings.out,
        settings=replace(settings.train, set_share=shares),
        augment=AugmentSettings(),
        net=NetSettings(),
        weights=LossWeights(),
        check=measure if held else None,
        start=settings.start,
    )
    models = settings.out / "models"
    about = {"training": asdict(settings.train), "pictures": len(learnt.samples)}
    export(net, models, calibration_pictures(learnt), about)
    manifest = json.dumps(manifest_of(settings), indent=1, ensure_ascii=False)
    (models / "manifest.json").write_text(manifest + "\n", encoding="utf-8")
    return models


def _shares(wanted: dict[str, float], samples: list[Sample]) -> dict[str, float]:
    """Return the shares of the sets that are there; a set nobody named gets the mean share."""
    present = {next((n for n in wanted if s.group.startswith(n)), s.group.rsplit("_", 1)[0]) for s in samples}
    usual = sum(wanted.values()) / len(wanted)
    return {name: wanted.get(name, usual) for name in sorted(present)}


def calibration_pictures(cache: Cache) -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    """Return pictures of every set, cut to sides in multiples of 32, to find int8 ranges with."""
    rng = np.random.default_rng(0)
    order = rng.permutation(len(cache.samples))[:_CALIBRATION]
    pictures = [cache.picture(cache.samples[int(i)]) for i in order]
    return [np.ascontiguousarray(p[: p.shape[0] // 32 * 32, : p.shape[1] // 32 * 32]) for p in pictures]


def manifest_of(settings: RunSettings) -> dict[str, Any]:
    """Return what a network was trained on: sets, numbers, and a digest by which anybody can check their copy."""
    sets: dict[str, dict[str, Any]] = {}
    for picture in labelled_pictures(settings.pictures, "train"):
        entry = sets.setdefault(picture.set_name, {"pictures": 0, "ripe": 0, "unripe": 0, "digest": hashlib.sha256()})
        entry["pictures"] += 1
        entry["ripe"] += sum(box[0] == 0 for box in picture.boxes)
        entry["unripe"] += sum(box[0] == 1 for box in picture.boxes)
        entry["digest"].update(picture.path.name.encode() + hashlib.sha256(picture.path.read_bytes()).digest())
    for entry in sets.values():
        entry["digest"] = entry["digest"].hexdigest()
    manifest: dict[str, Any] = {
        "sets": sets,
        "digest_is": "SHA-256 over each picture's file name and SHA-256, in the order of the names",
        "held_out": list(settings.hold_out),
    }
    manifest["rendered"] = [_rendered(folder) for folder in settings.rendered]
    return manifest


def _rendered(folder: Path) -> dict[str, Any]:
    source = folder / "manifest.json"
    told = json.loads(source.read_text(encoding="utf-8")) if source.exists() else {}
    count = len(list((folder / "truth").glob("*.json")))
    return {"pictures": count, **{k: told[k] for k in ("schema", "seed", "near", "culture", "licence") if k in told}}
