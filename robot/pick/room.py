"""Where along the row a round has work left, and whether all of it lies where another machine is."""

from __future__ import annotations

from robot.pick.round import Round
from robot.pick.target import Target


def work_left(round_: Round) -> list[float]:
    """Return the places along the row where something is to do as far as is known, world x [m]: fruit, and a view."""
    places = [float(target.position[0]) for target in _left(round_)]
    if round_.current is not None:
        places.append(float(round_.current.target.position[0]))
    if round_.views and not round_.view_spared():
        places.append(float(round_.next_view()[0, 3]))
    return places


def waits_for_room(round_: Round) -> bool:
    """Return whether something is left to do, and nothing of it where there is room."""
    if round_.current is not None or round_.stopped is not None:
        return False
    left = _left(round_)
    if any(round_.has_room(float(target.position[0])) for target in left) or (round_.views and round_.view_has_room()):
        return False
    return bool(left or round_.views)


def _left(round_: Round) -> list[Target]:
    return [] if round_.quota_reached() else round_.candidates()
