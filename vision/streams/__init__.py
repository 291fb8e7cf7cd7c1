"""Many cameras on one machine: frames wait per stream, the oldest are dropped, workers take them in turn."""
