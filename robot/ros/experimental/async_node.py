"""A node whose callbacks run on a loop of asyncio, without an executor of its user's."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, ClassVar

from robot.ros.callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from robot.ros.experimental.async_client import AsyncClient
from robot.ros.experimental.async_clock import AsyncClock
from robot.ros.experimental.asyncio_executor import AsyncioExecutor
from robot.ros.node import Node
from robot.ros.publisher import Publisher
from robot.ros.qos import QoSProfile, qos_profile_services_default
from robot.ros.service import Service
from robot.ros.subscription import Subscription
from robot.ros.timer import Timer, TimerInfo
from robot.ros.type_support import check_is_valid_srv_type


class AsyncNode(Node):
    """A node for asyncio, as `rclpy.experimental.AsyncNode`; it takes what `Node` takes.

    Its callbacks run while it is entered with `async with`, or while `run` does; each is plain or `async def`, and the
    next of the same subscription, service or timer waits for its end, unless that is `concurrent`. An exception of a
    callback ends the block as in a task group: the block is cancelled, and an ExceptionGroup comes out.
    """

    _ros_clock_class: ClassVar[type[AsyncClock]] = AsyncClock

    def __init__(self, node_name: str, **options: Any) -> None:
        self._ros_ended: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self._ros_stack: AsyncExitStack | None = None
        super().__init__(node_name, **options)

    # --- its life

    async def __aenter__(self) -> AsyncNode:
        if self._ros_destroyed:
            raise RuntimeError("Node has been destroyed and cannot be reentered")
        if self._ros_stack is not None:
            raise RuntimeError("Node is already running")
        loop = asyncio.get_running_loop()
        executor = AsyncioExecutor(loop, context=self.context)
        stack = self._ros_stack = AsyncExitStack()
        self._ros_ended = loop, asyncio.Event()
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        stack.push_async_callback(executor.shutdown_async)
        executor.add_node(self)
        tasks.create_task(executor.spin_async())
        return self

    async def __aexit__(self, *error: Any) -> bool | None:
        self.destroy_node()
        stack, self._ros_stack = self._ros_stack, None
        return None if stack is None else await stack.__aexit__(*error)

    async def run(self) -> None:
        """Run callbacks until `destroy_node`, or the end of the context; raises RuntimeError in an `async with`."""
        async with self:
            assert self._ros_ended is not None
            await self._ros_ended[1].wait()

    def destroy_node(self) -> None:
        """Destroy everything the node owns, once; `run` returns."""
        if self._ros_destroyed:
            return
        super().destroy_node()
        if self._ros_ended is not None:
            loop, ended = self._ros_ended
            loop.call_soon_threadsafe(self._ros_end, ended)

    def _ros_end(self, ended: asyncio.Event) -> None:
        self.get_clock().destroy()
        ended.set()

    def get_clock(self) -> AsyncClock:
        clock = super().get_clock()
        assert isinstance(clock, AsyncClock)
        return clock

    async def wait_for_node(  # type: ignore[override]
        self, fully_qualified_node_name: str, *, check_interval: float = 0.1
    ) -> None:
        """Wait for a node, looking every `check_interval` [s]; `asyncio.timeout` limits that."""
        full = "/" + fully_qualified_node_name.lstrip("/")
        while full not in self.get_fully_qualified_node_names():
            await asyncio.sleep(check_interval)

    # --- what it has

    def _ros_check(self, what: str) -> None:
        if self._ros_destroyed:
            raise RuntimeError(f"Cannot create {what} on a destroyed node")

    def create_publisher(self, msg_type: Any, topic: str, qos_profile: QoSProfile | int, **options: Any) -> Publisher:
        self._ros_check("publisher")
        return super().create_publisher(msg_type, topic, qos_profile, **options)

    def create_subscription(
        self,
        msg_type: Any,
        topic: str,
        callback: Callable[..., Any],
        qos_profile: QoSProfile | int,
        *,
        concurrent: bool = False,
        **options: Any,
    ) -> Subscription:
        self._ros_check("subscription")
        options.setdefault("callback_group", _group(concurrent=concurrent))
        return super().create_subscription(msg_type, topic, callback, qos_profile, **options)

    def create_service(
        self,
        srv_type: Any,
        srv_name: str,
        callback: Callable[[Any, Any], Any],
        *,
        concurrent: bool = False,
        **options: Any,
    ) -> Service:
        self._ros_check("service")
        options.setdefault("callback_group", _group(concurrent=concurrent))
        return super().create_service(srv_type, srv_name, callback, **options)

    def create_client(
        self,
        srv_type: Any,
        srv_name: str,
        *,
        qos_profile: QoSProfile = qos_profile_services_default,
        callback_group: CallbackGroup | None = None,
    ) -> AsyncClient:
        self._ros_check("client")
        with self.handle:
            check_is_valid_srv_type(srv_type)
            self._ros_check_name(srv_name, is_service=True)
            made: AsyncClient = self._ros_add(
                AsyncClient(self.context, self, srv_type, srv_name, qos_profile, callback_group)
            )
            return made

    def create_timer(  # type: ignore[override]
        self, timer_period_sec: float, callback: Callable[..., Any], autostart: bool = True
    ) -> Timer:
        """Create a timer; its callback takes nothing, or a `TimerInfo`."""
        self._ros_check("timer")
        group = _group(concurrent=False)
        return super().create_timer(timer_period_sec, _told(callback), group, autostart=autostart)


def _group(*, concurrent: bool) -> CallbackGroup:
    return ReentrantCallbackGroup() if concurrent else MutuallyExclusiveCallbackGroup()


def _told(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Return the callback as timers take it: an argument for the information is annotated there."""
    signature = inspect.signature(callback)
    for arguments in ((), (None,)):
        try:
            signature.bind(*arguments)
        except TypeError:
            continue
        if not arguments:
            return callback

        def told(info: TimerInfo) -> Any:
            return callback(info)

        return told
    raise RuntimeError("Timer callback must accept zero arguments or one argument (TimerInfo)")
