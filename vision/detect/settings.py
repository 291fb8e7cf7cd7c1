"""Settings of the colour-and-shape detector, each with the reason for its value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One way to call pixels fruit, by likelihood of ripe surface, of pale surface, and of either (0-255 each).

    Several cuts of the same scene are tried; the score decides which one found the berry. `apart` leaves a gap between
    ripe and pale surface, so that a ripe berry before a green one is cut out, and a turning one is not.
    """

    red: int
    pale: int
    either: int
    apart: bool


DEFAULT_CUTS = (
    Cut(red=60, pale=70, either=255, apart=True),  # down to the shaded sides
    Cut(red=150, pale=150, either=150, apart=False),  # turning fruit in one piece
    Cut(
        red=200, pale=190, either=255, apart=True
    ),  # certain surface: separates neighbours, and fruit from bright leaves
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineSettings:
    """Parameters of the baseline; lengths are in pixels of the working picture. Fitted numbers: `baseline.toml`.

    Attributes:
        working_side: pictures are reduced to this longest side; 640 gained nothing over 416 on the training pictures
            and costs 2.4 times the time; a 25 px berry of a 640 px picture still has 16 px.
        cuts: the cuts that are tried.
        reddish: likelihood of ripe surface from which a pixel belongs to it where cuts keep the two apart.
        min_radius: radius of the largest circle inside the smallest berry that is looked for.
        max_share: a region larger than this share of the picture is background.
        neck: two lobes are two berries when the passage between them is narrower than this share of the smaller lobe.
        box_margin: labelled boxes are larger than the coloured surface, which ends at the shaded rim.
        min_score: detections below are not reported; low, because average precision needs the tail.
        overlap: of two candidates whose boxes overlap more (intersection over union) the better one stays.
        contained: and so of two where one holds more than this share of the other: one fruit cut twice.
        most: at most this many berries per picture.
        peduncle_lift: cut point above the calyx end, as a share of the fruit's length; 12 mm on a 35 mm berry.
        stem_score: the stem is looked for above berries of at least this score; it costs 0.2 ms each.
    """

    working_side: int = 416
    cuts: tuple[Cut, ...] = DEFAULT_CUTS
    reddish: int = 60
    min_radius: float = 2.8
    max_share: float = 0.4
    neck: float = 0.76
    box_margin: float = 1.05
    min_score: float = 0.04
    overlap: float = 0.4
    contained: float = 0.8
    most: int = 100
    peduncle_lift: float = 0.35
    stem_score: float = 0.15
