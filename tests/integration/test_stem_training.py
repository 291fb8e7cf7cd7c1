"""The network that corrects cut points learns what can be learnt, and runs in numpy as it was taught in torch."""

from __future__ import annotations

import numpy as np
import pytest

from vision.stem_learnt import ALONG, ASIDE, CHANNELS, VALUES, Around, read_stem_net

torch = pytest.importorskip("torch", reason="needs the extra: pip install -e '.[train]'")


def lessons(count, seed):
    """Return lessons in which the stem's distance follows from the depths, and nothing else does."""
    from vision.train.stem import Lessons

    rng = np.random.default_rng(seed)
    depths = rng.normal(0.0, 0.3, (count, CHANNELS, len(ALONG), len(ASIDE))).astype(np.float32)
    off = rng.normal(0.0, 3.0, count).astype(np.float32)
    depths[:, 0] += off[:, None, None] / 5
    errors = np.stack([np.zeros(count), np.zeros(count), off], axis=1).astype(np.float32)
    return Lessons(depths=list(depths), values=list(np.zeros((count, VALUES), np.float32)), errors=list(errors))


def test_a_taught_network_is_written_read_and_tells_how_far_stems_are(tmp_path):
    from vision.train.stem import teach, write_stem_net

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        weights = teach(lessons(384, 1), epochs=16, batch=32, keep=0.8, rate=3e-3)
    finally:
        torch.set_num_threads(threads)
    write_stem_net(tmp_path / "stem.npz", weights)
    net, unseen = read_stem_net(tmp_path / "stem.npz"), lessons(100, 2)
    moves, scales = net(
        Around(
            depths=np.stack(unseen.depths),
            values=np.stack(unseen.values),
            ways=np.broadcast_to(np.eye(3), (100, 3, 3)),
            known=np.ones(100, bool),
        )
    )
    wanted = np.stack(unseen.errors)
    left = np.abs(1e3 * moves[:, 2] - wanted[:, 2]).mean()
    assert left < 0.5 * np.abs(wanted[:, 2]).mean()
    assert (scales[:, 2] > scales[:, 0]).mean() > 0.9


def test_torch_and_numpy_tell_the_same(tmp_path):
    from vision.train.stem import TorchStemNet, _named, write_stem_net

    torch.manual_seed(3)
    taught = TorchStemNet().eval()
    write_stem_net(tmp_path / "stem.npz", _named(taught.state_dict()))
    given = lessons(5, 4)
    depths, values = np.stack(given.depths), np.random.default_rng(5).normal(size=(5, VALUES)).astype(np.float32)
    with torch.no_grad():
        wanted = taught(torch.from_numpy(depths), torch.from_numpy(values)).numpy()
    moves, scales = read_stem_net(tmp_path / "stem.npz")(
        Around(depths=depths, values=values, ways=np.zeros((5, 3, 3)), known=np.ones(5, bool))
    )
    assert 1e3 * moves == pytest.approx(wanted[:, :3], abs=5e-3)
    assert np.log(1e3 * scales) == pytest.approx(wanted[:, 3:], abs=5e-3)


def test_folders_without_rendered_pictures_are_refused(tmp_path):
    from vision.train.stem import lessons_of

    with pytest.raises(ValueError, match="sim render"):
        lessons_of([tmp_path], None)
