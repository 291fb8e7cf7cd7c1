"""Messages that are made where they are read: their octets lie in memory that subscriptions of other processes see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from robot.ros.exceptions import RCLError
from robot.ros.transport.ring import HEAD_ROOM
from robot.ros.transport.shared import THRESHOLD

if TYPE_CHECKING:
    from robot.ros.publisher import Publisher
    from robot.ros.transport.ring import Loan


class LoanedMessage:
    """A message from `Publisher.borrow_loaned_message`: fill it, and publish it once.

    Dropping it, or leaving its `with` block, gives an unpublished one back. What keeps a view of its octets keeps the
    memory on loan; after the publication these are to be read only.
    """

    __slots__ = ("_loan", "_message", "_publisher")

    def __init__(self, publisher: Publisher, size: int) -> None:
        kind = publisher.msg_type
        self._publisher = publisher
        self._message: Any = kind()
        self._loan: Loan | None = publisher.bus.transport.lend(size) if size >= THRESHOLD else None
        octets = memoryview(bytearray(size)) if self._loan is None else self._loan.octets.data
        if kind._SPEC.fields[-1].type.size:
            setattr(self._message, kind._TAIL, octets)  # refuses a size beyond the field's bound
        setattr(self._message, f"_{kind._TAIL}", octets)  # also of few: always to be written in place

    @property
    def is_shared(self) -> bool:
        """Tell whether the octets lie in shared memory; otherwise publishing copies them."""
        return self._loan is not None

    def is_valid(self) -> bool:
        """Tell whether it can be published."""
        return self._message is not None

    def get(self) -> Any:
        """Return the message; raises RCLError when it was published or given back."""
        if self._message is None:
            raise RCLError("the loaned message was published or given back")
        return self._message

    def hand_over(self, publisher: Publisher) -> tuple[Any, Loan | None]:
        """Return the message, and what to send of it where that lies in shared memory, and be invalid from here on.

        Raises:
            RCLError: it was published or given back, or borrowed from another publisher.
        """
        message, loan = self.get(), self._loan
        if publisher is not self._publisher:
            raise RCLError(
                f"the loaned message was borrowed from another publisher, of {self._publisher.endpoint.name}"
            )
        self._message = self._loan = None
        if loan is None:
            return message, None
        octets = getattr(message, message._TAIL)
        owner: object = octets.obj if isinstance(octets, memoryview) else None
        if owner is not loan.octets or len(octets) != len(loan.octets):
            return message, None  # the field was given other octets
        setattr(message, f"_{message._TAIL}", octets.toreadonly())
        loan.head = message._encode_head(message)
        return message, loan if len(loan.head) <= HEAD_ROOM else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._message = self._loan = None
