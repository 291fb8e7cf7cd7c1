"""Managed nodes, as `rclpy.lifecycle`."""

from robot.ros.lifecycle.managed_entity import ManagedEntity, SimpleManagedEntity
from robot.ros.lifecycle.node import LifecycleNode, LifecycleNodeMixin
from robot.ros.lifecycle.publisher import LifecyclePublisher
from robot.ros.lifecycle.states import LifecycleState, TransitionCallbackReturn

Node = LifecycleNode
State = LifecycleState
Publisher = LifecyclePublisher
LifecycleMixin = LifecycleNodeMixin

__all__ = [
    "LifecycleMixin",
    "LifecycleNode",
    "LifecycleNodeMixin",
    "LifecyclePublisher",
    "LifecycleState",
    "ManagedEntity",
    "SimpleManagedEntity",
    "TransitionCallbackReturn",
]
