"""Settings of the colour-and-shape detector, each with the reason for its value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineSettings:
    """Parameters of the baseline; colours are CIELAB (hue in degrees), lengths in pixels of the working picture.

    Attributes:
        working_side: pictures are reduced to this longest side; 640 keeps a 25 px berry and costs under 15 ms.
        red_hue: hues of ripe surface; beyond 55 degrees are soil, wood and skin.
        red_chroma: where red surface starts and is certain; wood and skin stay below 30.
        pale_hue: hues of green and white fruit; leaves lie above 120 degrees, soil below 80.
        pale_lightness: where pale fruit starts and is certain; leaves are mostly darker.
        pale_chroma: where pale fruit starts and is certain; white film and sky are below 12.
        min_radius: radius of the largest circle inside the smallest berry that is looked for.
        max_share: a region larger than this share of the picture is background.
        neck: two lobes are two berries when the passage between them is narrower than this share of the smaller lobe.
        min_score: detections below are not reported.
        overlap: of two candidates that overlap more than this, the better one stays.
        peduncle_lift: cut point above the calyx end, as a share of the fruit's length; 12 mm on a 35 mm berry.
    """

    working_side: int = 640
    red_hue: tuple[float, float] = (-20.0, 58.0)
    red_chroma: tuple[float, float] = (24.0, 40.0)
    pale_hue: tuple[float, float] = (76.0, 118.0)
    pale_lightness: tuple[float, float] = (42.0, 58.0)
    pale_chroma: tuple[float, float] = (12.0, 20.0)
    min_radius: float = 4.0
    max_share: float = 0.4
    neck: float = 0.82
    min_score: float = 0.05
    overlap: float = 0.5
    peduncle_lift: float = 0.35
