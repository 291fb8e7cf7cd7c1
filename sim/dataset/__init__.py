"""Rendered pictures of strawberries with exact labels: what `berrybrain sim render` writes."""

from __future__ import annotations

SCHEMA = "berrybrain.rendered/1"
"""Name and version of the layout; a change of meaning raises the number."""

CUT_ABOVE_CALYX = 0.010
"""Where the cut is wanted: this far along the stem from the calyx [m]; a hung fruit keeps a centimetre of stem."""
