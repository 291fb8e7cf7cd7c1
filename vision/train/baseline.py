"""Fit the baseline's colour polynomial and score to the `train` pictures and write them as `baseline.toml`.

Run as `python -m vision.train.baseline PICTURES vision/detect/baseline.toml`; a minute on one core. Both fits are
logistic regressions by Newton's method with a ridge; `val` pictures are never opened.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vision.camera.pictures import load_picture
from vision.detect.baseline import candidates, reduced
from vision.detect.colour import ColourModel, terms
from vision.detect.features import planes_of
from vision.detect.fitted import standardised
from vision.detect.settings import BaselineSettings
from vision.labelled import RIPE, LabelledPicture, labelled_pictures
from vision.ripeness import LABELLED_RIPE_FROM, to_lab

log = logging.getLogger(__name__)

Array = npt.NDArray[np.float64]

CORE = 0.25
"""Half axes of the ellipse in a labelled box that surely is fruit, as a share of the box."""
PIXELS = 250
"""Pixels taken of each kind from a picture."""
RENDERED = (
    ((190, 26, 24), (150, 12, 18)),
    ((146, 176, 84), (226, 220, 176), (186, 198, 130), (232, 168, 132)),
    ((62, 112, 44), (92, 140, 56), (205, 212, 214), (92, 118, 74), (148, 145, 138), (168, 168, 164)),
)
"""Usual colours of rendered ripe fruit, pale fruit and surroundings, so that simulated pictures are not foreign."""


def fit_logistic(x: Array, y: Array, weight: Array, ridge: float) -> Array:
    """Return weights of a logistic regression, Newton's method; the last column of `x` is not penalised.

    Args:
        x: shape (n, f).
        y: 0 or 1, shape (n,).
        weight: of each row, shape (n,).
    """
    w = np.zeros(x.shape[1])
    penalty = np.full(x.shape[1], ridge)
    penalty[-1] = 0.0
    for _ in range(25):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ w, -30, 30)))
        gradient = x.T @ (weight * (y - p)) - penalty * w
        hessian = (x * (weight * p * (1 - p))[:, None]).T @ x + np.diag(penalty + 1e-9)
        step = np.linalg.solve(hessian, gradient)
        w = w + step
        if np.abs(step).max() < 1e-6:
            break
    return w


def fit_colour(pictures: list[LabelledPicture], rng: np.random.Generator) -> Array:
    """Return log-odds coefficients of ripe and pale surface against background, shape (2, t).

    Two one-against-background regressions; the model puts them together as a multinomial.
    """
    samples: list[list[npt.NDArray[np.float32]]] = [[], [], []]
    for picture in pictures:
        lab = to_lab(reduced(load_picture(picture.path), 416))
        for kind, mask in enumerate(_cores(picture, lab.shape[0], lab.shape[1])):
            found = lab[mask]
            if len(found):
                samples[kind].append(found[rng.integers(len(found), size=PIXELS)])
    for kind, colours in enumerate(RENDERED):
        drawn = np.array(colours, float)[rng.integers(len(colours), size=6000)]
        shaded = drawn * rng.uniform(0.35, 1.15, (6000, 1)) * rng.uniform(0.9, 1.1, (6000, 3))
        samples[kind].append(to_lab(np.clip(shaded, 0, 255).astype(np.uint8)[None])[0])
    features = [terms(np.concatenate(s)) for s in samples]
    log.info("pixels: %s", [len(f) for f in features])
    rows = []
    for kind in (0, 1):
        x = np.concatenate([features[kind], features[2]])[:, ::-1]
        y = np.concatenate([np.ones(len(features[kind])), np.zeros(len(features[2]))])
        weight = np.where(y == 1, 0.5 * len(y) / y.sum(), 0.5 * len(y) / (len(y) - y.sum()))
        rows.append(fit_logistic(x, y, weight, ridge=3.0)[::-1])
    return np.stack(rows)


def _cores(picture: LabelledPicture, height: int, width: int) -> list[npt.NDArray[np.bool_]]:
    """Return where ripe cores, unripe cores and background are; what lies in a box but not in its core is left out."""
    y, x = (np.mgrid[0:height, 0:width] + 0.5) / np.array([height, width])[:, None, None]
    core = [np.zeros((height, width), bool), np.zeros((height, width), bool)]
    boxed = np.zeros((height, width), bool)
    for kind, x0, y0, x1, y1 in picture.boxes:
        inside = (x > x0) & (x < x1) & (y > y0) & (y < y1)
        cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
        core[kind] |= ((x - cx) / (x1 - x0)) ** 2 + ((y - cy) / (y1 - y0)) ** 2 < CORE**2
        boxed |= inside
    return [*core, ~boxed]


def fit_score(
    pictures: list[LabelledPicture], model: ColourModel, settings: BaselineSettings
) -> tuple[list[str], Array, float]:
    """Return the names of the features, their rows (mean, scale, linear, square) and the bias."""
    names: list[str] = []
    values, hits, weights = [], [], []
    for picture in pictures:
        small = reduced(load_picture(picture.path), settings.working_side)
        for _, found in candidates(planes_of(small, model), model, settings):
            names = list(found.values)
            best = _best_overlap(found.box / np.tile(small.shape[1::-1], 2), found.ripeness, picture)
            unlabelled = (RIPE + 1 not in picture.classes) & (found.ripeness < LABELLED_RIPE_FROM)
            values.append(np.stack(list(found.values.values()), axis=1))
            hits.append((best >= 0.5).astype(float))
            # Near misses teach little; the few close-ups weigh double.
            near = (best > 0.35) & (best < 0.5)
            weights.append(
                np.where(unlabelled, 0.0, np.where(near, 0.3, 1.0)) * (2.0 if len(picture.boxes) < 6 else 1.0)
            )
    x, y, weight = np.concatenate(values), np.concatenate(hits), np.concatenate(weights)
    log.info("regions: %d, berries among them: %d", len(y), int(y.sum()))
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
    z = standardised(x, mean, scale)
    w = fit_logistic(np.concatenate([z, z**2, np.ones((len(z), 1))], axis=1), y, weight, ridge=20.0)
    f = len(names)
    return names, np.stack([mean, scale, w[:f], w[f : 2 * f]], axis=1), float(w[-1])


def _best_overlap(boxes: Array, ripeness: Array, picture: LabelledPicture) -> Array:
    """Return each region's best intersection over union with a label of its own class, shape (n,)."""
    if not picture.boxes:
        return np.zeros(len(boxes))
    truth = np.array(picture.boxes)
    low = np.maximum(boxes[:, None, :2], truth[None, :, 1:3])
    high = np.minimum(boxes[:, None, 2:], truth[None, :, 3:5])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    own = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)[:, None]
    other = (truth[:, 3:5] - truth[:, 1:3]).prod(axis=1)[None]
    same = (ripeness[:, None] >= LABELLED_RIPE_FROM) == (truth[None, :, 0] == RIPE)
    return np.asarray((same * shared / (own + other - shared)).max(axis=1))


def to_toml(colour: Array, names: list[str], rows: Array, bias: float) -> str:
    """Return the fitted numbers as the text of `baseline.toml`."""
    lines = [
        "# Numbers of the colour-and-shape detector, fitted by vision/train/baseline.py to the train pictures.",
        "",
        "[colour] # log-odds against background per term of vision.detect.colour.terms",
    ]
    lines += [f"{n} = [{', '.join(f'{v:.4f}' for v in row)}]" for n, row in zip(("ripe", "pale"), colour, strict=True)]
    lines += ["", "[score] # feature, mean, scale, weight, weight of the square", f"bias = {bias:.4f}", "rows = ["]
    lines += [f'  ["{n}", {", ".join(f"{v:.5g}" for v in row)}],' for n, row in zip(names, rows, strict=True)]
    return "\n".join([*lines, "]", ""])


def main(pictures_dir: Path, target: Path) -> None:
    """Fit to the train pictures below `pictures_dir` and write `target`."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    pictures = list(labelled_pictures(pictures_dir, "train"))
    settings = BaselineSettings()
    # Round as the file does, so that the score is fitted to the colours that will be used.
    colour = np.round(fit_colour(pictures, np.random.default_rng(0)), 4)
    names, rows, bias = fit_score(pictures, ColourModel(colour), settings)
    target.write_text(to_toml(colour, names, rows, bias), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m vision.train.baseline PICTURES vision/detect/baseline.toml")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
