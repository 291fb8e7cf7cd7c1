"""Run a model on the CPU with OpenVINO: one thread, one picture at a time, any size in multiples of 32."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import numpy.typing as npt
import openvino as ov

from vision.net.layout import CHANNELS, PROTOTYPES, SIZE_MULTIPLE
from vision.net.modelfile import ModelFile, ModelFileError

Array = npt.NDArray[np.float32]

_SIZES_KEPT = 16
"""Compiled sizes that are kept; a camera has two, a folder of photographs of one size up to ten."""


class Engine:
    """A model ready to run. Not for use from several threads at once."""

    def __init__(self, model: ModelFile, *, threads: int = 1, prototypes: bool = True) -> None:
        """Read the graph.

        Args:
            prototypes: whether to tell the mask prototypes; a ninth of the time is theirs.

        Raises:
            ModelFileError: the graph is not one that this engine can read, or its outputs are others.
        """
        self._core = ov.Core()
        try:
            self._graph = self._core.read_model(model.graph, model.weights)
            channels = [int(self._graph.output(i).partial_shape[1].get_length()) for i in (0, 1)]
        except RuntimeError as error:
            line = str(error).strip().splitlines()[-1]
            raise ModelFileError(
                f"the model's graph cannot be read ({line}); take the file of this release again"
            ) from None
        if channels != [CHANNELS, PROTOTYPES]:
            raise ModelFileError(f"expected a graph with {CHANNELS} and {PROTOTYPES} channels, got {channels}")
        if not prototypes:
            self._graph.remove_result(self._graph.results[1])
        self._options: dict[str, str | int | bool] = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            # Pinned, the engines of all workers and processes of a machine would share its first core.
            "ENABLE_CPU_PINNING": False,
        }
        if model.about.get("precision") == "fp32":
            self._options["INFERENCE_PRECISION_HINT"] = "f32"
        self._requests: OrderedDict[tuple[int, int], ov.InferRequest] = OrderedDict()

    def run(self, picture: npt.NDArray[np.uint8]) -> tuple[Array, Array]:
        """Return head, shape (CHANNELS, h/8, w/8), and prototypes, shape (PROTOTYPES, h/4, w/4), or none of these.

        The arrays are overwritten by the next call with a picture of the same size.

        Args:
            picture: RGB, shape (h, w, 3), uint8, contiguous; sides are multiples of 32.
        """
        h, w = picture.shape[:2]
        if h % SIZE_MULTIPLE or w % SIZE_MULTIPLE or picture.dtype != np.uint8:
            raise ValueError(
                f"expected uint8 with sides in multiples of {SIZE_MULTIPLE}, got {picture.shape} {picture.dtype}"
            )
        # a list, not a tensor on shared memory: that refuses a picture of a message, which is read-only
        result = self._request((h, w)).infer([picture[None]], share_inputs=True, share_outputs=True)
        return result[0][0], result[1][0] if len(result) > 1 else np.zeros((0, h // 4, w // 4), np.float32)

    def _request(self, size: tuple[int, int]) -> ov.InferRequest:
        if size in self._requests:
            self._requests.move_to_end(size)
            return self._requests[size]
        graph = self._graph.clone()
        graph.reshape([1, *size, 3])
        self._requests[size] = self._core.compile_model(graph, "CPU", self._options).create_infer_request()
        if len(self._requests) > _SIZES_KEPT:
            self._requests.popitem(last=False)
        return self._requests[size]
