"""Settings of the colour-and-shape detector, each with the reason for its value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskRule:
    """One way to call pixels fruit: likelihoods of ripe and pale surface, weighted, against a threshold (0-255).

    Several rules give several cuts of the same scene; the score decides which cut found the berry.
    """

    red: float
    pale: float
    above: float


DEFAULT_MASKS = (
    MaskRule(red=1.0, pale=0.0, above=60),  # ripe surface with its shaded sides
    MaskRule(red=1.0, pale=1.0, above=150),  # turning fruit in one piece
    MaskRule(red=0.0, pale=1.0, above=70),  # green fruit in the shade
    MaskRule(red=0.0, pale=1.0, above=190),  # green fruit before bright leaves
    MaskRule(red=1.0, pale=1.0, above=215),  # certain surface: separates neighbours
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineSettings:
    """Parameters of the baseline; lengths are in pixels of the working picture. Fitted numbers: `baseline.toml`.

    Attributes:
        working_side: pictures are reduced to this longest side; 640 gained nothing over 416 on the training pictures
            and costs 2.4 times the time; a 25 px berry of a 640 px picture still has 16 px.
        masks: the cuts that are tried.
        min_radius: radius of the largest circle inside the smallest berry that is looked for.
        max_share: a region larger than this share of the picture is background.
        neck: two lobes are two berries when the passage between them is narrower than this share of the smaller lobe.
        box_margin: labelled boxes are larger than the coloured surface, which ends at the shaded rim.
        min_score: detections below are not reported; low, because average precision needs the tail.
        overlap: of two candidates whose boxes overlap more (intersection over union) the better one stays.
        contained: and so of two where one holds more than this share of the other: one fruit cut twice.
        most: at most this many berries per picture.
        peduncle_lift: cut point above the calyx end, as a share of the fruit's length; 12 mm on a 35 mm berry.
    """

    working_side: int = 416
    masks: tuple[MaskRule, ...] = DEFAULT_MASKS
    min_radius: float = 2.8
    max_share: float = 0.4
    neck: float = 0.76
    box_margin: float = 1.05
    min_score: float = 0.03
    overlap: float = 0.4
    contained: float = 0.8
    most: int = 100
    peduncle_lift: float = 0.35
