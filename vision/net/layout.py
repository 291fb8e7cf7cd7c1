"""What the channels of the network's outputs mean; read by training, export and decoding alike."""

from __future__ import annotations

from dataclasses import dataclass

VERSION = 1
"""Raised when a model file of before can no longer be decoded."""

STRIDE = 8
"""Pixels of the picture per cell of the head."""
PROTO_STRIDE = 4
"""Pixels of the picture per cell of the mask prototypes."""
PROTOTYPES = 8
SIZE_MULTIPLE = 32
"""Sides of the picture are multiples of this [px]: the coarsest level has stride 32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Channels `start` to `stop` (excluded) of the head's output."""

    start: int
    stop: int

    @property
    def slice(self) -> slice:
        return slice(self.start, self.stop)


def _spans(**sizes: int) -> dict[str, Span]:
    spans, start = {}, 0
    for name, size in sizes.items():
        spans[name] = Span(start=start, stop=start + size)
        start += size
    return spans


SPANS = _spans(
    heat=2,  # logits of a centre of a ripe and of an unripe fruit
    box=4,  # log distance from the cell's centre to left, top, right, bottom [cells]
    box_spread=1,  # log of the Laplace scale of the four logs
    ripeness=1,  # logit of the share of the visible surface with its ripe colour
    ripeness_spread=1,  # log of the Laplace scale of the ripeness
    calyx=2,  # from the cell's centre, in box sizes: where the peduncle meets the calyx
    peduncle=2,  # from the cell's centre, in box sizes: the cutting point
    stem=2,  # direction from the calyx along the peduncle; its length says nothing
    stem_spread=1,  # log of the Laplace scale of calyx and peduncle, in box sizes
    visible=1,  # logit of the share of the fruit that is not hidden
    mask=PROTOTYPES + 1,  # weights of the prototypes, and a bias
)
CHANNELS = max(span.stop for span in SPANS.values())
LOG_SPREAD_LIMITS = (-4.0, 2.0)
