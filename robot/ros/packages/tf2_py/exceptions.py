"""Why a transform could not be given."""

from __future__ import annotations


class TransformException(Exception):  # noqa: N818 (tf2's name)
    """Any of these."""


class ConnectivityException(TransformException):
    """The frames are not parts of one tree."""


class LookupException(TransformException):
    """A frame is not known."""


class ExtrapolationException(TransformException):
    """The time asked for lies outside of what is known."""


class BackwardExtrapolationException(ExtrapolationException):
    """The time lies before the oldest transform known."""


class ForwardExtrapolationException(ExtrapolationException):
    """The time lies behind the newest transform known."""


class NoDataForExtrapolationException(ExtrapolationException):
    """Only one transform is known, for another time."""


class InvalidArgumentException(TransformException):
    """A frame's name, or a transform, that cannot be."""


class TimeoutException(TransformException):
    """The time given for an answer is over."""
