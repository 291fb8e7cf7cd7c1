"""What is seen in a mirror, told as if there were none: a second opinion from the same network."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vision.net.layout import CHANNELS, SPANS

Array = npt.NDArray[np.float32]


def _sources() -> tuple[npt.NDArray[np.int64], Array]:
    """Return for each channel of the head which one of the mirrored picture's it is, and by which sign."""
    source, sign = np.arange(CHANNELS), np.ones(CHANNELS, np.float32)
    left = SPANS["box"].start
    source[[left, left + 2]] = left + 2, left
    sign[[SPANS[name].start for name in ("calyx", "peduncle", "stem")]] = -1.0
    return source, sign


_SOURCE, _SIGN = _sources()


def unmirrored(head: Array, proto: Array) -> tuple[Array, Array]:
    """Return the outputs for a picture, given those for the same picture with left and right exchanged.

    Args:
        head: shape (CHANNELS, h, w).
        proto: shape (PROTOTYPES, 2h, 2w).
    """
    turned = head[_SOURCE, :, ::-1]
    turned *= _SIGN[:, None, None]
    return turned, np.ascontiguousarray(proto[:, :, ::-1])
