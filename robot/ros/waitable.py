"""Waitables: things of a user's own that an executor asks whether they are ready, and runs when they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from robot.ros.duration import NANOSECONDS
from robot.ros.handle import Handle

if TYPE_CHECKING:
    from robot.ros.callback_groups import CallbackGroup
    from robot.ros.task import Future

T = TypeVar("T")

KINDS = ("subscription", "guard_condition", "timer", "client", "service", "event")


class NumberOfEntities:
    """How many entities of each kind something consists of."""

    __slots__ = ("num_clients", "num_events", "num_guard_conditions", "num_services", "num_subscriptions", "num_timers")
    _ORDER = ("num_subscriptions", "num_guard_conditions", "num_timers", "num_clients", "num_services", "num_events")

    def __init__(  # noqa: PLR0917 (rclpy's)
        self,
        num_subs: int = 0,
        num_gcs: int = 0,
        num_timers: int = 0,
        num_clients: int = 0,
        num_services: int = 0,
        num_events: int = 0,
    ) -> None:
        self.num_subscriptions = num_subs
        self.num_guard_conditions = num_gcs
        self.num_timers = num_timers
        self.num_clients = num_clients
        self.num_services = num_services
        self.num_events = num_events

    def _counts(self) -> list[int]:
        return [getattr(self, name) for name in self._ORDER]

    def __add__(self, other: NumberOfEntities) -> NumberOfEntities:
        return NumberOfEntities(*(one + two for one, two in zip(self._counts(), other._counts(), strict=True)))

    def __iadd__(self, other: NumberOfEntities) -> NumberOfEntities:
        for name in self._ORDER:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NumberOfEntities) and self._counts() == other._counts()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({', '.join(map(str, self._counts()))})>"


class WaitSet(Handle):
    """What waitables consist of, by kind: they add things, get an index for each, and ask which are ready.

    Args:
        counts: of the members to come, and the handle of the context for `wait`; neither is needed for asking.
    """

    def __init__(self, *counts: Any) -> None:
        super().__init__("a wait set")
        self._members: dict[str, list[Any]] = {}
        self._context = counts[-1] if counts else None
        self._ready: set[tuple[str, int]] = set()

    def _add(self, kind: str, member: Any) -> int:
        members = self._members.setdefault(kind, [])
        members.append(member)
        return len(members) - 1

    def add_guard_condition(self, member: Any) -> int:
        return self._add("guard_condition", member)

    def add_subscription(self, member: Any) -> int:
        return self._add("subscription", member)

    def add_timer(self, member: Any) -> int:
        return self._add("timer", member)

    def add_client(self, member: Any) -> int:
        return self._add("client", member)

    def add_service(self, member: Any) -> int:
        return self._add("service", member)

    def add_event(self, member: Any) -> int:
        return self._add("event", member)

    def clear_entities(self) -> None:
        self._members.clear()
        self._ready.clear()

    def is_ready(self, kind: str, index: int) -> bool:
        """Tell whether a guard condition was triggered, a timer is due, or there is something to take."""
        if (kind, index) in self._ready:
            return True
        member = self._members[kind][index]
        if kind == "guard_condition":
            if not member.take():
                return False
            self._ready.add((kind, index))
            return True
        return bool(member.is_ready())

    def wait(self, timeout_ns: int) -> None:
        """Wait until a member is ready; negative = no limit [ns]."""
        if self._context is None:
            raise ValueError("expected the handle of a context as the last argument of WaitSet, got none")
        limit = None if timeout_ns < 0 else timeout_ns / NANOSECONDS
        self._ready.clear()
        self._context.context.bus.pump.wait_until(lambda: any(map(self.get_ready_entities, KINDS)), limit)

    def get_ready_entities(self, kind: str) -> list[int]:
        """Return the `pointer` of each member of a kind that is ready."""
        members = self._members.get(kind, ())
        return [member.pointer for index, member in enumerate(members) if self.is_ready(kind, index)]


class Waitable(Generic[T]):
    """The base of waitables, as `rclpy.waitable.Waitable`; `Node.add_waitable` hands one to the node's executor.

    Each time the executor looks for work it has the waitable put what it consists of into a wait set, and asks it
    whether it is ready; then `take_data` and `execute` follow, as its callback group lets them.
    """

    def __init__(self, callback_group: CallbackGroup) -> None:
        self.callback_group = callback_group
        self.callback_group.add_entity(self)
        self._executor_event = False
        self._futures: list[Future[Any]] = []

    def __enter__(self) -> Any:
        """Mark what it consists of as in use."""
        raise NotImplementedError("Must be implemented by subclass")

    def __exit__(self, *_: object) -> None:
        raise NotImplementedError("Must be implemented by subclass")

    def add_future(self, future: Future[Any]) -> None:
        self._futures.append(future)

    def remove_future(self, future: Future[Any]) -> None:
        self._futures.remove(future)

    def is_ready(self, wait_set: Any) -> bool:
        raise NotImplementedError("Must be implemented by subclass")

    def take_data(self) -> T:
        """Take what made it ready, so that it is not ready again for the same reason."""
        raise NotImplementedError("Must be implemented by subclass")

    async def execute(self, taken_data: T) -> None:
        raise NotImplementedError("Must be implemented by subclass")

    def get_num_entities(self) -> NumberOfEntities:
        raise NotImplementedError("Must be implemented by subclass")

    def add_to_wait_set(self, wait_set: Any) -> None:
        raise NotImplementedError("Must be implemented by subclass")
