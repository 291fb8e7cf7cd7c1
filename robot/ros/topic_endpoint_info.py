"""The older name of `endpoint_info`."""

from __future__ import annotations

from robot.ros.endpoint_info import EndpointTypeEnum, TopicEndpointInfo, TopicEndpointTypeEnum

__all__ = ["EndpointTypeEnum", "TopicEndpointInfo", "TopicEndpointTypeEnum"]
