"""What everything that can be destroyed has in common."""

from __future__ import annotations

from typing import Any, Protocol


class DestroyableType(Protocol):
    """Used in a `with` statement it is held, and not destroyed before the end of it."""

    def __enter__(self) -> Any: ...

    def __exit__(self, *error: object) -> None: ...

    def destroy_when_not_in_use(self) -> None:
        """Destroy it when nobody uses it any more."""
