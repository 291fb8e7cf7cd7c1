"""Episodes as files: one npz each, with every observation, action and reward, and what they were made with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

FORMAT = 1
"""Raised when the meaning of a recorded array changes."""

Observation = dict[str, Any]
Action = npt.NDArray[np.float32]


class Recorder(gymnasium.Wrapper[Observation, Action, Observation, Action]):
    """Writes `episode-00000.npz` and so on; an episode that is broken off by `reset` or `close` is written too.

    Arrays: `observation.<name>` (n + 1, …) from the first to the last, `action` (n, 5), `reward`, `terminated`,
    `truncated`, `seconds` (n,) (simulated, after the action), and `meta`, a JSON text: format, seed, environment, end.

    Args:
        folder: is made if it does not exist; episodes are numbered on from the highest in it.
    """

    def __init__(self, env: gymnasium.Env[Observation, Action], folder: Path) -> None:
        super().__init__(env)
        folder.mkdir(parents=True, exist_ok=True)
        named = [path.stem.removeprefix("episode-") for path in folder.glob("episode-*.npz")]
        self._folder, self._number = folder, 1 + max((int(name) for name in named if name.isdecimal()), default=-1)
        self._seed: int | None = None
        self._observations: list[Observation] = []
        self._rows: list[tuple[Action, float, bool, bool, float]] = []
        self._info: dict[str, Any] = {}

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        self._write()
        observation, self._info = self.env.reset(seed=seed, options=options)
        self._seed, self._observations = seed, [observation]
        return observation, self._info

    def step(self, action: Action) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, self._info = self.env.step(action)
        self._observations.append(observation)
        seconds = float(self._info.get("seconds", np.nan))
        self._rows.append((np.array(action), float(reward), terminated, truncated, seconds))
        if terminated or truncated:
            self._write()
        return observation, float(reward), terminated, truncated, self._info

    def close(self) -> None:
        self._write()
        super().close()

    def _write(self) -> None:
        """Write what has been gathered, if anything was done."""
        rows, self._rows = self._rows, []
        if not rows:
            return
        meta = {"format": FORMAT, "seed": self._seed, "env": type(self.unwrapped).__name__, "end": self._info}
        arrays = {
            f"observation.{name}": np.stack([o[name] for o in self._observations]) for name in self._observations[0]
        }
        action, reward, terminated, truncated, seconds = (np.array(column) for column in zip(*rows, strict=True))
        np.savez_compressed(
            self._folder / f"episode-{self._number:05d}.npz",
            allow_pickle=False,
            action=action,
            reward=reward,
            terminated=terminated,
            truncated=truncated,
            seconds=seconds,
            meta=np.array(json.dumps(meta)),
            **arrays,
        )
        self._number += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One recorded episode; arrays as `Recorder` writes them."""

    observations: dict[str, npt.NDArray[np.float32]]
    action: npt.NDArray[np.float32]
    reward: npt.NDArray[np.float64]
    meta: dict[str, Any]


def read_episode(path: Path) -> Episode:
    """Read one file.

    Raises:
        ValueError: it is of a format this version does not know.
    """
    with np.load(path, allow_pickle=False) as file:
        meta = json.loads(str(file["meta"]))
        if meta["format"] != FORMAT:
            raise ValueError(f"{path}: expected format {FORMAT}, got {meta['format']}")
        prefix = "observation."
        observations = {name.removeprefix(prefix): file[name] for name in file.files if name.startswith(prefix)}
        return Episode(observations=observations, action=file["action"], reward=file["reward"], meta=meta)
