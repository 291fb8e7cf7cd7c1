"""Turn a trained network into model files: fp32, and int8 calibrated on training pictures."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nncf
import numpy as np
import numpy.typing as npt
import openvino as ov
import torch
from torch import Tensor, nn

from vision.net.layout import CHANNELS, PROTOTYPES
from vision.net.model import BerryNet
from vision.net.modelfile import GRAPH, WEIGHTS, ModelFile, write_model

INPUT, HEAD, PROTO = "picture", "head", "proto"


class _Exported(nn.Module):
    """The network with its input as cameras give it: uint8, shape (1, h, w, 3)."""

    def __init__(self, net: BerryNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        head, proto = self.net(picture.permute(0, 3, 1, 2).float())
        return head, proto


def graph_of(net: BerryNet) -> ov.Model:
    """Return OpenVINO's graph of `net`, batch normalisation folded in, height and width free."""
    sample = torch.zeros(1, 64, 96, 3, dtype=torch.uint8)
    graph = ov.convert_model(_Exported(net).eval(), example_input=sample, input=[ov.PartialShape([1, -1, -1, 3])])
    graph.input(0).get_tensor().set_names({INPUT})
    for i, (name, channels) in enumerate(((HEAD, CHANNELS), (PROTO, PROTOTYPES))):
        graph.output(i).get_tensor().set_names({name})
        assert graph.output(i).partial_shape[1].get_length() == channels
    return graph


def quantised(graph: ov.Model, pictures: Sequence[npt.NDArray[np.uint8]]) -> ov.Model:
    """Return `graph` with int8 weights and activations.

    Args:
        pictures: to calibrate with, RGB, sides in multiples of 32; a few hundred of every kind.
    """
    nncf.set_log_level(40)
    calibration = nncf.Dataset(list(pictures), lambda picture: {INPUT: picture[None]})
    found: ov.Model = nncf.quantize(
        graph,
        calibration,
        preset=nncf.QuantizationPreset.PERFORMANCE,
        subset_size=len(pictures),
        fast_bias_correction=True,
    )
    return found


def packed(graph: ov.Model, about: dict[str, Any]) -> ModelFile:
    """Return `graph` as a model file's content."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / GRAPH
        ov.save_model(graph, path, compress_to_fp16=False)
        return ModelFile(graph=path.read_bytes(), weights=(Path(folder) / WEIGHTS).read_bytes(), about=about)


def export(net: BerryNet, folder: Path, pictures: Sequence[npt.NDArray[np.uint8]], about: dict[str, Any]) -> None:
    """Write `berries-fp32.zip` and `berries-int8.zip` into `folder`.

    Args:
        pictures: to calibrate int8 with.
        about: what the model files say of themselves.
    """
    graph = graph_of(net)
    folder.mkdir(parents=True, exist_ok=True)
    write_model(folder / "berries-fp32.zip", packed(graph, {**about, "precision": "fp32"}))
    write_model(folder / "berries-int8.zip", packed(quantised(graph, pictures), {**about, "precision": "int8"}))
