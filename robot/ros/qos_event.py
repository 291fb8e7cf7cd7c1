"""The older name of `event_handler`."""

from robot.ros.event_handler import *  # noqa: F403
from robot.ros.event_handler import EventHandler as QoSEventHandler

__all__ = ["QoSEventHandler"]  # and, by the star, all of event_handler
