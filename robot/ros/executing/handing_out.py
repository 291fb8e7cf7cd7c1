"""Hand callbacks that are ready to a custom executor, one by one, as `wait_for_ready_callbacks` gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from robot.ros.exceptions import NotInitializedException
from robot.ros.executing.reasons import ExternalShutdownException, TimeoutObject
from robot.ros.gate import Item, run_entered
from robot.ros.task import Task

if TYPE_CHECKING:
    from robot.ros.executing.base import Executor
    from robot.ros.node_parts.running import Run

Ready = tuple[Task[Any], Any, Any]
"""What runs the callback, its entity and its node."""


class HandingOut:
    """The round of an executor that is being handed out."""

    def __init__(self) -> None:
        self._round: Iterator[Ready] | None = None
        self._arguments: tuple[object, ...] = ()

    def next(self, executor: Executor, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Ready:
        """Return what is next in the round; other arguments begin another one."""
        arguments = (args, tuple(kwargs.items()))
        while True:
            if self._round is None or self._arguments != arguments:
                self._round = _round(executor, *args, **kwargs)
                self._arguments = arguments
            try:
                return next(self._round)
            except StopIteration:
                self._round = None
            except Exception:
                self._round = None
                raise

    def forget(self) -> None:
        self._round = None


def _round(
    executor: Executor,
    timeout_sec: float | TimeoutObject | None = None,
    nodes: list[Any] | None = None,
    condition: Callable[[], bool] = lambda: False,
) -> Iterator[Ready]:
    timeout = timeout_sec.timeout if isinstance(timeout_sec, TimeoutObject) else timeout_sec
    try:
        item: Item | None = executor._await(timeout, condition, nodes)
    except NotInitializedException as error:
        raise ExternalShutdownException from error
    more = executor._agenda.width()
    while item is not None:
        node, entity, run = item
        yield _as_task(executor, entity, run), entity, node
        more -= 1
        item = executor._next(nodes) if more >= 0 else None


def _as_task(executor: Executor, entity: Any, run: Run) -> Task[Any]:
    owner = getattr(run, "__self__", None)
    if entity is None and isinstance(owner, Task):
        return owner

    async def handler() -> None:
        rest = run_entered(entity, run, executor._agenda.held, executor.wake)
        if rest is not None:
            await rest

    return Task(handler, executor=executor)
