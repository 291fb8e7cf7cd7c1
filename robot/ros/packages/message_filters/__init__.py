"""Combine streams of messages by their stamps, with upstream's algorithms."""

from typing import TYPE_CHECKING

from robot.ros.borrowed import finder
from robot.ros.packages.message_filters.cache import Cache
from robot.ros.packages.message_filters.simple_filter import Chain, SimpleFilter, Subscriber
from robot.ros.packages.message_filters.synchronizers import ApproximateTimeSynchronizer, TimeSynchronizer

__all__ = ["ApproximateTimeSynchronizer", "Cache", "Chain", "SimpleFilter", "Subscriber", "TimeSynchronizer"]

if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
