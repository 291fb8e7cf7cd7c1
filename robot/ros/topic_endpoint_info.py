"""The older name of `endpoint_info`."""

from __future__ import annotations

from robot.ros.endpoint_info import TopicEndpointInfo, TopicEndpointTypeEnum

__all__ = ["TopicEndpointInfo", "TopicEndpointTypeEnum"]
