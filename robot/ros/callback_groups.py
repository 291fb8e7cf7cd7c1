"""Callback groups: with one thread per context, only coroutines that await can overlap.

Timers and subscriptions of a reentrant group may have several unfinished calls, others one each.
"""

from __future__ import annotations


class CallbackGroup:
    """A set of callbacks."""


class MutuallyExclusiveCallbackGroup(CallbackGroup):
    """One unfinished call per timer or subscription. Not yet: one per group."""


class ReentrantCallbackGroup(CallbackGroup):
    """Any number of unfinished calls."""
