"""Lens, mounting and board: what `berrybrain calibrate` measures and what cameras and robot read of it."""
