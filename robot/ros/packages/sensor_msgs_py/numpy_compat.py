"""Structured arrays from plain ones and back, under sensor_msgs_py's names."""

from numpy.lib.recfunctions import structured_to_unstructured, unstructured_to_structured

__all__ = ["structured_to_unstructured", "unstructured_to_structured"]
