"""The baseline's fitted numbers, read from `baseline.toml`: a colour polynomial and a score with a row per feature."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Numbers that `vision.train.baseline` fits.

    Attributes:
        colour: log-odds of ripe and of pale surface against background, per term of `colour.terms`, shape (2, t).
        features: names of the features, in the order of the rows.
        mean, scale: standardise a feature, shape (f,).
        linear, square: weights of the standardised feature and of its square, shape (f,).
        bias: log-odds at the mean.
    """

    colour: Array
    features: tuple[str, ...]
    mean: Array
    scale: Array
    linear: Array
    square: Array
    bias: float

    def score(self, features: dict[str, Array]) -> Array:
        """Return the probability that each region is one berry, shape (n,).

        Raises:
            ValueError: a feature that was fitted is not among `features`.
        """
        missing = [name for name in self.features if name not in features]
        if missing:
            raise ValueError(f"expected the features {list(self.features)}, got none of {missing}")
        z = standardised(np.stack([features[name] for name in self.features], axis=1), self.mean, self.scale)
        odds: Array = z @ self.linear + (z * z) @ self.square + self.bias
        return 1.0 / (1.0 + np.exp(-odds))


def standardised(values: Array, mean: Array, scale: Array) -> Array:
    """Return features in units of their spread, bounded at 4 so that nothing unseen is extrapolated."""
    return np.clip((values - mean) / scale, -4.0, 4.0)


def load_fitted() -> Fitted:
    """Read the numbers that are shipped with the package."""
    table = tomllib.loads(resources.files("vision.detect").joinpath("baseline.toml").read_text(encoding="utf-8"))
    rows = table["score"]["rows"]
    columns = np.array([row[1:] for row in rows], dtype=np.float64)
    return Fitted(
        colour=np.array([table["colour"]["ripe"], table["colour"]["pale"]], dtype=np.float64),
        features=tuple(row[0] for row in rows),
        mean=columns[:, 0],
        scale=columns[:, 1],
        linear=columns[:, 2],
        square=columns[:, 3],
        bias=float(table["score"]["bias"]),
    )
