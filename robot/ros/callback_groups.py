"""Callback groups: accepted for the API's sake; with one thread per context callbacks never overlap anyway."""

from __future__ import annotations


class CallbackGroup:
    """A set of callbacks. A coroutine that awaits does let others of its group run."""


class MutuallyExclusiveCallbackGroup(CallbackGroup):
    """At most one callback of the group at a time."""


class ReentrantCallbackGroup(CallbackGroup):
    """Callbacks of the group may overlap."""
