"""A small network learns a synthetic batch, and a broken run goes on where it was; needs the extra `train`."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'berrybrain[train]'")

from vision.net.layout import CHANNELS, PROTOTYPES, VERSION  # noqa: E402
from vision.net.model import BerryNet, NetSettings  # noqa: E402
from vision.train.augment import AugmentSettings, View  # noqa: E402
from vision.train.cache import SIDE, Cache, Sample  # noqa: E402
from vision.train.fruit import Fruit, fruit_of_box  # noqa: E402
from vision.train.loop import TrainSettings, train  # noqa: E402
from vision.train.loss import LossWeights, collate, losses  # noqa: E402
from vision.train.targets import targets_of  # noqa: E402

SHOWN = 256
SMALL = NetSettings(widths=(8, 8, 8, 8, 8), blocks=(1, 1, 1), neck=8, head=8)
SETTINGS = TrainSettings(epochs=2, views=4, batch=2, warmup=2, workers=0, threads=1, half=False, set_share={"s": 1.0})


@pytest.fixture(scope="module")
def cache():
    pixels = np.full((1, SIDE, SIDE, 3), (70, 110, 70), np.uint8)
    fruit = []
    for x, y in ((60, 60), (150, 90), (100, 190)):
        pixels[0, y - 30 : y + 30, x - 25 : x + 25] = (210, 20, 30)
        box = fruit_of_box(0, (x - 25, y - 30, x + 25, y + 30))
        corners = np.array([[x - 25, y - 30], [x + 24, y - 30], [x + 24, y + 29], [x - 25, y + 29]], np.float32)
        top = np.array([x, y - 30], np.float32)
        known = {"ripeness": 1.0, "calyx": top, "peduncle": top - np.float32([0, 20]), "visible": 1.0}
        fruit.append(replace(box, outline=corners, **known))
    sample = Sample(name="s0", group="s0", index=0, size=(SIDE, SIDE), unripe_labelled=True, fruit=fruit)
    return Cache(blocks=(pixels,), samples=[sample])


def batch_of(cache: Cache, fruit: list[Fruit] | None = None):
    found = cache.samples[0].fruit if fruit is None else fruit
    boxes = np.array([f.box for f in found], np.float32).reshape(-1, 4)
    picture = cache.blocks[0][0, :SHOWN, :SHOWN]
    view = View(picture=picture, fruit=found, boxes=boxes, unripe_unknown=np.zeros((SHOWN, SHOWN), bool))
    return collate([(view.picture, targets_of(view, np.random.default_rng(0)))])


def test_outputs_have_the_shapes_of_the_layout():
    head, proto = BerryNet(SMALL).eval()(torch.zeros(2, 3, 64, 96))
    assert head.shape == (2, CHANNELS, 8, 12)
    assert proto.shape == (2, PROTOTYPES, 16, 24)


def test_every_loss_falls_on_a_batch_that_is_learnt_by_heart(cache):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    net, batch = BerryNet(SMALL).train(), batch_of(cache)
    optimiser = torch.optim.AdamW(net.parameters(), lr=5e-3)
    history = []
    for _ in range(12):
        found = losses(*net(batch.pictures.float()), batch, LossWeights())
        optimiser.zero_grad()
        sum(found.values()).backward()
        optimiser.step()
        history.append({k: float(v.detach()) for k, v in found.items()})
    assert set(history[0]) == {"heat", "box", "box_spread", "ripeness", "stem", "direction", "visible", "mask"}
    for name in ("heat", "box", "ripeness", "stem", "mask"):
        assert history[-1][name] < history[0][name], name


def test_what_is_not_labelled_costs_nothing(cache):
    bare = [
        replace(f, outline=None, ripeness=math.nan, calyx=None, peduncle=None, visible=math.nan)
        for f in cache.samples[0].fruit
    ]
    found = losses(*BerryNet(SMALL)(torch.zeros(1, 3, SHOWN, SHOWN)), batch_of(cache, bare), LossWeights())
    assert "mask" not in found
    assert all(float(found[k].detach()) == 0.0 for k in ("ripeness", "stem", "direction", "visible"))
    assert all(bool(torch.isfinite(v)) for v in found.values())


def test_a_batch_without_fruit_can_be_learnt_from(cache):
    found = losses(*BerryNet(SMALL)(torch.zeros(1, 3, SHOWN, SHOWN)), batch_of(cache, []), LossWeights())
    assert set(found) == {"heat"}
    assert float(found["heat"].detach()) > 0


def test_a_run_that_was_broken_off_ends_as_one_that_was_not(cache, tmp_path):
    rest = {"augment": AugmentSettings(side=96), "net": SMALL, "weights": LossWeights()}
    whole = train(cache, tmp_path / "whole", settings=SETTINGS, **rest)
    train(cache, tmp_path / "parts", settings=SETTINGS, **rest, clock=lambda: 1.0, stop_at=0.0)
    resumed = train(cache, tmp_path / "parts", settings=SETTINGS, **rest)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], value, msg=name)


def test_a_run_from_a_checkpoint_begins_its_own_schedule_with_what_the_other_learnt(cache, tmp_path):
    rest = {"augment": AugmentSettings(side=96), "net": SMALL, "weights": LossWeights()}
    first = train(cache, tmp_path / "first", settings=SETTINGS, **rest)
    still = replace(SETTINGS, epochs=1, rate=1e-12)
    second = train(cache, tmp_path / "second", settings=still, **rest, start=tmp_path / "first" / "last.pt")
    told = torch.load(tmp_path / "second" / "last.pt", weights_only=True)
    assert told["epoch"] == 1
    weight = "out.weight"
    torch.testing.assert_close(told["model"][weight], torch.load(tmp_path / "first" / "last.pt")["model"][weight])
    assert second.state_dict()[weight].shape == first.state_dict()[weight].shape
    with pytest.raises(ValueError, match="found none"):
        train(cache, tmp_path / "third", settings=still, **rest, start=tmp_path / "no.pt")


def test_a_checkpoint_of_another_version_is_refused(cache, tmp_path):
    torch.save({"version": 0}, tmp_path / "last.pt")
    with pytest.raises(ValueError, match="version 0, expected"):
        train(cache, tmp_path, settings=SETTINGS, augment=AugmentSettings(), net=SMALL, weights=LossWeights())


def test_a_checkpoint_that_is_damaged_or_of_another_network_is_refused_with_what_to_do(cache, tmp_path):
    rest = {"augment": AugmentSettings(side=96), "weights": LossWeights()}
    last = tmp_path / "last.pt"
    train(cache, tmp_path, settings=replace(SETTINGS, epochs=1), net=SMALL, **rest)
    whole = last.read_bytes()
    other = replace(SMALL, widths=(8, 8, 8, 8, 16))
    for content, net, said in (
        (b"junk\n", SMALL, "damaged or no checkpoint"),
        (b"", SMALL, "damaged or no checkpoint"),
        (whole[: len(whole) // 2], SMALL, "damaged or no checkpoint"),
        (whole, other, "of another network"),
    ):
        last.write_bytes(content)
        with pytest.raises(ValueError, match=f"{said}.*remove it to begin anew"):
            train(cache, tmp_path, settings=SETTINGS, net=net, **rest)
    for state, said in (([1, 2], "no checkpoint"), ({"version": VERSION, "epoch": 1}, "no whole checkpoint")):
        torch.save(state, last)
        with pytest.raises(ValueError, match=said):
            train(cache, tmp_path, settings=SETTINGS, net=SMALL, **rest)


def test_from_folders_to_model_files_that_the_detector_runs(tmp_path):
    pytest.importorskip("nncf", reason="pip install 'berrybrain[train]'")
    from vision.detect.network import NetworkDetector
    from vision.net.modelfile import read_model
    from vision.train.run import RunSettings, run

    folder = tmp_path / "pictures" / "mine" / "train"
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    for k in range(2):
        picture = np.full((96, 128, 3), (70, 110, 70), np.uint8)
        cv2.ellipse(picture, (64, 50), (16, 24), 0, 0, 360, (40, 30, 200), -1)
        cv2.imwrite(str(folder / "images" / f"mine_{k}_0.png"), picture)
        (folder / "labels" / f"mine_{k}_0.txt").write_text("0 0.5 0.52 0.26 0.5\n", encoding="utf-8")
    settings = replace(SETTINGS, epochs=1, views=2, set_share={"mine": 1.0})
    models = run(RunSettings(pictures=tmp_path / "pictures", rendered=(), out=tmp_path / "out", train=settings))
    manifest = json.loads((models / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["sets"]["mine"]["ripe"] == 2
    for precision in ("int8", "fp32"):
        model = read_model(models / f"berries-{precision}.zip")
        assert model.about["precision"] == precision
        NetworkDetector(model=model).detect(np.zeros((64, 64, 3), np.uint8))
