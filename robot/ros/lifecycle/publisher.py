"""A publisher that is silent while its lifecycle node is not active."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robot.ros.borrowed import finder
from robot.ros.lifecycle.managed_entity import SimpleManagedEntity
from robot.ros.publisher import Publisher


class LifecyclePublisher(SimpleManagedEntity, Publisher):
    """A publisher, made by `LifecycleNode.create_lifecycle_publisher`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        SimpleManagedEntity.__init__(self)
        Publisher.__init__(self, *args, **kwargs)

    @SimpleManagedEntity.when_enabled  # type: ignore[untyped-decorator, unused-ignore]
    def publish(self, msg: Any) -> None:
        """Send a message; nothing is sent while the node is not active."""
        Publisher.publish(self, msg)


if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
