"""Fit what vision needs to learn from labelled pictures."""
