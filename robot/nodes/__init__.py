"""Glue between the robot's wire and its rooms: one node per file, hosted by processes or in lock-step alike."""
