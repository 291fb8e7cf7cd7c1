"""The losses of a batch; each is an average over what is labelled, so that a missing label costs nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from vision.net.layout import LOG_SPREAD_LIMITS, PROTO_STRIDE, SPANS, STRIDE
from vision.train.targets import Targets


@dataclass(frozen=True, slots=True, kw_only=True)
class LossWeights:
    """How much each loss counts."""

    heat: float = 1.0
    box: float = 4.0
    box_spread: float = 0.3
    ripeness: float = 1.0
    stem: float = 1.0
    direction: float = 0.5
    visible: float = 0.3
    mask: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Targets of several views put together; cells carry the number of their view."""

    pictures: Tensor
    heat: Tensor
    weight: Tensor
    view: Tensor
    cell: Tensor
    fruit: Tensor
    share: Tensor
    boxes: Tensor
    values: Tensor
    masks: Tensor
    mask_view: Tensor
    mask_fruit: Tensor


def collate(views: list[tuple[npt.NDArray[np.uint8], Targets]]) -> Batch:
    """Put views and their targets together; fruit are numbered through the batch."""
    first = np.cumsum([0] + [len(t.boxes) for _, t in views])
    pictures = np.stack([p for p, _ in views]).transpose(0, 3, 1, 2)
    return Batch(
        pictures=torch.from_numpy(np.ascontiguousarray(pictures)),
        heat=torch.from_numpy(np.stack([t.heat for _, t in views])),
        weight=torch.from_numpy(np.stack([t.weight for _, t in views])),
        view=torch.from_numpy(np.concatenate([np.full(len(t.cells), i) for i, (_, t) in enumerate(views)])),
        cell=torch.from_numpy(np.concatenate([t.cells[:, 0] for _, t in views])),
        fruit=torch.from_numpy(np.concatenate([t.cells[:, 1] + first[i] for i, (_, t) in enumerate(views)])),
        share=torch.from_numpy(np.concatenate([t.share for _, t in views])),
        boxes=torch.from_numpy(np.concatenate([t.boxes for _, t in views])),
        values=torch.from_numpy(np.concatenate([t.values for _, t in views])),
        masks=torch.from_numpy(np.concatenate([t.masks for _, t in views])),
        mask_view=torch.from_numpy(np.concatenate([np.full(len(t.masks), i) for i, (_, t) in enumerate(views)])),
        mask_fruit=torch.from_numpy(np.concatenate([t.masked + first[i] for i, (_, t) in enumerate(views)])),
    )


def losses(head: Tensor, proto: Tensor, batch: Batch, weights: LossWeights) -> dict[str, Tensor]:
    """Return the weighted losses by name.

    Args:
        head: shape (n, CHANNELS, h, w).
        proto: shape (n, PROTOTYPES, 2h, 2w).
    """
    head, proto = head.float(), proto.float()
    fruit_count = max(1, len(batch.boxes))
    result = {"heat": weights.heat * _heat(head[:, SPANS["heat"].slice], batch) / fruit_count}
    if len(batch.cell) == 0:
        return result
    columns = head.shape[3]
    at = head.flatten(2)[batch.view, :, batch.cell]
    centre = torch.stack([batch.cell % columns, batch.cell // columns], dim=1) + 0.5
    box = batch.boxes[batch.fruit] / STRIDE
    values = batch.values[batch.fruit]
    sides = (box[:, 2:] - box[:, :2]).clamp_min(1e-3)
    share = batch.share / fruit_count

    wanted = torch.cat([centre - box[:, :2], box[:, 2:] - centre], dim=1).clamp_min(0.05)
    logs = at[:, SPANS["box"].slice].clamp(-4, 5)
    result["box"] = weights.box * (share * _giou_loss(logs.exp(), wanted)).sum()
    spread = at[:, SPANS["box_spread"].slice].clamp(*LOG_SPREAD_LIMITS)
    miss = (logs.detach() - wanted.log()).abs().mean(dim=1, keepdim=True)
    result["box_spread"] = weights.box_spread * (share * (miss * (-spread).exp() + spread).squeeze(1)).sum()

    ripeness = at[:, SPANS["ripeness"].slice].sigmoid()
    result["ripeness"] = weights.ripeness * _laplace(
        ripeness, values[:, :1], at[:, SPANS["ripeness_spread"].slice], share
    )
    points = torch.cat([at[:, SPANS["calyx"].slice], at[:, SPANS["peduncle"].slice]], dim=1)
    places = (values[:, 1:5] / STRIDE - centre.repeat(1, 2)) / sides.repeat(1, 2)
    result["stem"] = weights.stem * _laplace(points, places, at[:, SPANS["stem_spread"].slice], share)
    along = F.normalize(values[:, 3:5] - values[:, 1:3], dim=1)
    known = along.isfinite().all(dim=1)
    said = F.normalize(at[:, SPANS["stem"].slice], dim=1, eps=1e-3)
    apart = 1.0 - (said[known] * along[known]).sum(dim=1)
    result["direction"] = weights.direction * (share[known] * apart).sum()
    seen = values[:, 5]
    known = seen.isfinite()
    logit = at[known][:, SPANS["visible"].start]
    result["visible"] = (
        weights.visible
        * (share[known] * F.binary_cross_entropy_with_logits(logit, seen[known], reduction="none")).sum()
    )
    if len(batch.masks):
        result["mask"] = weights.mask * _mask(head, proto, batch)
    return result


def _heat(logits: Tensor, batch: Batch) -> Tensor:
    """Return the penalty-reduced focal loss of CornerNet (Law and Deng 2018, eq. 1), summed."""
    p = logits.sigmoid().clamp(1e-5, 1 - 1e-5)
    hit = batch.heat >= 0.999
    at_centre = -((1 - p) ** 2) * p.log()
    elsewhere = -((1 - batch.heat) ** 4) * p**2 * (1 - p).log()
    return (torch.where(hit, at_centre, elsewhere) * batch.weight).sum()


def _giou_loss(a: Tensor, b: Tensor) -> Tensor:
    """Return 1 - GIoU of boxes given as distances left, top, right, bottom from one point, shape (m,)."""
    low, high = torch.minimum(a, b), torch.maximum(a, b)
    shared = (low[:, 0] + low[:, 2]) * (low[:, 1] + low[:, 3])
    hull = (high[:, 0] + high[:, 2]) * (high[:, 1] + high[:, 3])
    area_a, area_b = (a[:, 0] + a[:, 2]) * (a[:, 1] + a[:, 3]), (b[:, 0] + b[:, 2]) * (b[:, 1] + b[:, 3])
    union = area_a + area_b - shared
    return 1 - shared / union + (hull - union) / hull


def _laplace(said: Tensor, wanted: Tensor, spread: Tensor, share: Tensor) -> Tensor:
    """Return the weighted negative log likelihood under a Laplace law of learnt scale; unknown values count nothing."""
    known = wanted.isfinite().all(dim=1)
    if not bool(known.any()):
        return (said.sum() + spread.sum()) * 0.0
    scale = spread[known].clamp(*LOG_SPREAD_LIMITS)
    miss = (said[known] - wanted[known]).abs()
    # The plain distance beside the likelihood keeps learning where the scale has grown.
    return (share[known] * (miss * (-scale).exp() + scale + 3.0 * miss).mean(dim=1)).sum()


def _mask(head: Tensor, proto: Tensor, batch: Batch) -> Tensor:
    """Return cross entropy plus Dice of the masks inside their boxes, averaged over the masked fruit."""
    boxes = batch.boxes[batch.mask_fruit]
    columns = head.shape[3]
    middle = ((boxes[:, :2] + boxes[:, 2:]) / (2 * STRIDE)).long()
    cell = middle[:, 1].clamp(0, head.shape[2] - 1) * columns + middle[:, 0].clamp(0, columns - 1)
    weights = head.flatten(2)[batch.mask_view, :, cell][:, SPANS["mask"].slice]
    logits = torch.einsum("kp,kphw->khw", weights[:, :-1], proto[batch.mask_view]) + weights[:, -1, None, None]
    sides = proto.shape[2], proto.shape[3]
    y = (torch.arange(sides[0]) + 0.5)[None, :, None] * PROTO_STRIDE
    x = (torch.arange(sides[1]) + 0.5)[None, None, :] * PROTO_STRIDE
    x0, y0, x1, y1 = (boxes[:, i, None, None] for i in range(4))
    inside = ((x > x0 - 2) & (x < x1 + 2) & (y > y0 - 2) & (y < y1 + 2)).float()
    truth = batch.masks.float()
    area = inside.sum(dim=(1, 2)).clamp_min(1.0)
    entropy = (F.binary_cross_entropy_with_logits(logits, truth, reduction="none") * inside).sum(dim=(1, 2)) / area
    p = logits.sigmoid() * inside
    dice = 1 - (2 * (p * truth).sum(dim=(1, 2)) + 1) / (p.sum(dim=(1, 2)) + (truth * inside).sum(dim=(1, 2)) + 1)
    return (entropy + dice).mean()
