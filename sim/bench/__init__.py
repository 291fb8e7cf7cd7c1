"""Benches that cross packages: measured figures, never a pass or fail."""
