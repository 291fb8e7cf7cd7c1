"""The Gymnasium environment: it keeps the contract, repeats itself for a seed, can be solved, and is recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

gymnasium = pytest.importorskip("gymnasium", reason="type: pip install 'berrybrain[gym]'")

from gymnasium import Env  # noqa: E402
from gymnasium.utils.env_checker import check_env  # noqa: E402

from sim.gym.env import PickEnv  # noqa: E402
from sim.gym.example import ScriptedPicker  # noqa: E402
from sim.gym.example import main as example  # noqa: E402
from sim.gym.record import Recorder, read_episode  # noqa: E402
from sim.scene.settings import Mix, SceneSettings  # noqa: E402

SMALL = SceneSettings(length=0.6, mix=Mix(isolated=1, unripe=1))
ACTIONS = [[0, 0.5, 0, 0, 0], [0, 0, 0, -1, 1], [0.4, -0.5, 0.2, 1, 0]]


def test_it_keeps_the_contract_of_gymnasium() -> None:
    check_env(PickEnv(SMALL), skip_render_check=True)


def test_a_seed_and_the_same_actions_give_the_same_episode() -> None:
    told = []
    for _ in range(2):
        env = PickEnv(SMALL)
        seen, _ = env.reset(seed=7)
        rows = [seen["berries"]]
        for action in ACTIONS:
            seen, reward, *_ = env.step(np.array(action, dtype=np.float32))
            rows += [seen["berries"], seen["joints"], seen["jaws"], np.array([reward])]
        told.append(np.concatenate([row.ravel() for row in rows]))
    assert np.array_equal(*told)
    other, _ = PickEnv(SMALL).reset(seed=8)
    assert not np.array_equal(other["berries"].ravel(), told[0][: other["berries"].size])


def test_what_the_safety_layer_or_the_planner_refuses_costs_and_moves_nothing() -> None:
    env = PickEnv(SMALL)
    before, _ = env.reset(seed=3)
    after, reward, terminated, _, info = env.step(np.array([0, 0, 0, 0, 1], dtype=np.float32))  # nothing is held
    assert "blade" in info["refused"]
    assert reward < -0.05
    assert not terminated
    assert np.allclose(after["tool"], before["tool"], atol=1e-4)
    with pytest.raises(ValueError, match="5 finite"):
        env.step(np.full(5, np.nan, dtype=np.float32))
    with pytest.raises(ValueError, match="reset"):
        PickEnv(SMALL).step(np.zeros(5, dtype=np.float32))


def test_a_stop_of_the_robot_ends_the_episode() -> None:
    env = PickEnv(SMALL)
    env.reset(seed=3)
    assert env._hand is not None
    env._hand.loop.stop()
    _, reward, terminated, _, info = env.step(np.zeros(5, dtype=np.float32))
    assert (terminated, info["stopped"]) == (True, True)
    assert reward < -1.0


def test_the_scripted_picker_picks_the_ripe_berry_and_its_episode_can_be_read_again(tmp_path: Path) -> None:
    env = Recorder(PickEnv(SMALL, max_steps=60), tmp_path)
    picker, total, over = ScriptedPicker(), 0.0, False
    seen, info = env.reset(seed=2)
    first = seen["berries"].copy()
    while not over:
        seen, reward, terminated, truncated, info = env.step(picker.act(seen))
        total, over = total + reward, terminated or truncated
    env.close()
    assert (info["placed"], info["wrong"], info["hanging"]) == (1, 0, 0)
    assert total > 0.5
    (path,) = tmp_path.glob("episode-*.npz")
    episode = read_episode(path)
    assert np.array_equal(episode.observations["berries"][0], first)
    assert len(episode.observations["tool"]) == len(episode.action) + 1
    assert episode.reward.sum() == pytest.approx(total)
    assert episode.meta["seed"] == 2
    assert episode.meta["end"]["placed"] == 1


class Still(Env[dict[str, Any], np.ndarray]):
    """Nothing happens in it."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict[str, Any], Any]:
        return {"tool": np.zeros(3)}, {}

    def step(self, action: np.ndarray) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        return {"tool": np.zeros(3)}, 0.0, True, False, {}


def test_an_episode_that_was_deleted_costs_no_other_one(tmp_path: Path) -> None:
    def record() -> list[str]:
        env = Recorder(Still(), tmp_path)
        env.reset()
        env.step(np.zeros(5, dtype=np.float32))
        env.close()
        return sorted(path.name for path in tmp_path.glob("*.npz"))

    record()
    assert record() == ["episode-00000.npz", "episode-00001.npz"]
    (tmp_path / "episode-00000.npz").unlink()
    assert record() == ["episode-00001.npz", "episode-00002.npz"]
    (tmp_path / "episode-00001.npz").rename(tmp_path / "episode-best.npz")
    assert record() == ["episode-00002.npz", "episode-00003.npz", "episode-best.npz"]


def test_the_example_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert example(["--episodes", "1", "--seed", "2", "--out", str(tmp_path)], PickEnv(SMALL, max_steps=60)) == 0
    assert "placed" in capsys.readouterr().out
    assert len(list(tmp_path.glob("episode-*.npz"))) == 1
