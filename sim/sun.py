"""Where the sun is and how strong a clear sky is, in a screenful: importing pvlib takes 1-2 s and brings scipy, pandas.

Within 0.5 degrees of pvlib's elevation (a test repeats its numbers), far below what clouds and film hide.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime


def solar_elevation(at: float, latitude: float, longitude: float) -> float:
    """Return the sun's geometric elevation [rad] (declination and equation of time: Spencer 1971, Search 2(5)).

    Args:
        at: instant, UTC epoch [s].
        latitude: [deg], north positive.
        longitude: [deg], east positive.
    """
    when = datetime.fromtimestamp(at, UTC)
    hour = when.hour + when.minute / 60.0 + when.second / 3600.0
    b = 2.0 * math.pi * (when.timetuple().tm_yday - 1 + (hour - 12.0) / 24.0) / 365.0
    declination = (
        0.006918
        - 0.399912 * math.cos(b)
        + 0.070257 * math.sin(b)
        - 0.006758 * math.cos(2.0 * b)
        + 0.000907 * math.sin(2.0 * b)
        - 0.002697 * math.cos(3.0 * b)
        + 0.00148 * math.sin(3.0 * b)
    )
    equation_of_time = 229.18 * (
        0.000075
        + 0.001868 * math.cos(b)
        - 0.032077 * math.sin(b)
        - 0.014615 * math.cos(2.0 * b)
        - 0.040849 * math.sin(2.0 * b)
    )  # [min]
    hour_angle = math.radians((hour + equation_of_time / 60.0 + longitude / 15.0 - 12.0) * 15.0)
    phi = math.radians(latitude)
    return math.asin(
        math.sin(phi) * math.sin(declination) + math.cos(phi) * math.cos(declination) * math.cos(hour_angle)
    )


def clear_sky_radiation(elevation: float) -> float:
    """Return global radiation under a clear sky [W/m2] at a sun elevation [rad] (Haurwitz 1945, J. Meteorol. 2)."""
    cosine = math.sin(elevation)
    return 1098.0 * cosine * math.exp(-0.059 / cosine) if cosine > 0.0 else 0.0
