"""Action clients and servers as waitables: for executors that ask what is ready instead of being told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robot.ros.task import await_or_execute
from robot.ros.waitable import NumberOfEntities, Waitable

if TYPE_CHECKING:
    from collections.abc import Callable

    from robot.ros.client import Client
    from robot.ros.service import Service
    from robot.ros.subscription import Subscription
    from robot.ros.task import Future

Data = dict[str, Any]


class ClientWaiting(Waitable[Data]):
    """The responses, the feedback and the states that a client of an action gets."""

    _goal_client: Client
    _cancel_client: Client
    _result_client: Client
    _feedback_subscription: Subscription
    _status_subscription: Subscription
    _on_feedback: Callable[[Any], Any]
    _on_status: Callable[[Any], None]

    def _clients(self) -> dict[str, Client]:
        return {"goal": self._goal_client, "cancel": self._cancel_client, "result": self._result_client}

    def _subscriptions(self) -> dict[str, Subscription]:
        return {"feedback": self._feedback_subscription, "status": self._status_subscription}

    @property
    def _pending_goal_requests(self) -> dict[int, Future[Any]]:
        return dict(self._goal_client._pending_requests)  # rclpy's names, by number of the request

    @property
    def _pending_cancel_requests(self) -> dict[int, Future[Any]]:
        return dict(self._cancel_client._pending_requests)

    @property
    def _pending_result_requests(self) -> dict[int, Future[Any]]:
        return dict(self._result_client._pending_requests)

    def get_num_entities(self) -> NumberOfEntities:
        return NumberOfEntities(num_subs=2, num_clients=3)

    def add_to_wait_set(self, wait_set: Any) -> None:
        for subscription in self._subscriptions().values():
            wait_set.add_subscription(subscription.handle)
        for client in self._clients().values():
            wait_set.add_client(client.handle)

    def is_ready(self, wait_set: Any) -> bool:
        """Tell whether anything has come, whatever was put into the wait set."""
        return any(each.handle.is_ready() for each in (*self._clients().values(), *self._subscriptions().values()))

    def take_data(self) -> Data:
        """Take one of each kind that has come."""
        answers = {name: client.take_answer() for name, client in self._clients().items()}
        messages = {name: each.take_with_info(raw=False) for name, each in self._subscriptions().items()}
        taken = {name: found[0] for name, found in messages.items() if found is not None}
        return taken | {name: answer for name, answer in answers.items() if answer is not None}

    async def execute(self, taken_data: Data) -> None:
        """Complete the futures of responses, call back for feedback, follow the states."""
        for name in self._clients().keys() & taken_data.keys():
            future, response = taken_data[name]
            if not future.cancelled():
                future.set_result(response)
        if "feedback" in taken_data:
            await await_or_execute(self._on_feedback, taken_data["feedback"])
        if "status" in taken_data:
            self._on_status(taken_data["status"])


class ServerWaiting(Waitable[Data]):
    """The requests that a server of an action gets."""

    _goal_service: Service
    _cancel_service: Service
    _result_service: Service

    def _services(self) -> dict[str, Service]:
        return {"goal": self._goal_service, "cancel": self._cancel_service, "result": self._result_service}

    def get_num_entities(self) -> NumberOfEntities:
        return NumberOfEntities(num_services=3, num_timers=1)  # rclpy's has a timer for results that expire

    def add_to_wait_set(self, wait_set: Any) -> None:
        for service in self._services().values():
            wait_set.add_service(service.handle)

    def is_ready(self, wait_set: Any) -> bool:
        """Tell whether any request has come, whatever was put into the wait set."""
        return any(service.has_request() for service in self._services().values())

    def take_data(self) -> Data:
        """Take one request of each kind that has come, with its header."""
        taken = {name: service.take_request() for name, service in self._services().items()}
        return {name: request for name, request in taken.items() if request is not None}

    async def execute(self, taken_data: Data) -> None:
        """Judge the requests and answer; a result is answered when there is one."""
        for name, (request, header) in taken_data.items():
            await self._services()[name].answer(request, header)
