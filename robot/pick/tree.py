"""The picking skill as a behaviour tree: look along the bed, and for each candidate approach, grip, cut, carry, lay."""

from __future__ import annotations

import py_trees
from py_trees.behaviour import Behaviour

from robot.pick.carry_leaf import Carry
from robot.pick.grip_leaves import Approach, Close, Conclude, Cut, Release
from robot.pick.leaf import Loop
from robot.pick.leaves import ChooseNext, Count, LookAgain, LookAround, MoveToStandoff, MoveToView, ViewDue
from robot.pick.recover_leaves import BackOut, GiveUp, OpenWide, StillHolding
from robot.pick.round import Round


def picking_tree(round_: Round) -> Behaviour:
    """Return the tree that harvests one segment; it succeeds when nothing is left to try or a person must act first."""
    s = round_.settings
    survey = _sequence(
        "survey view",
        ViewDue("is a view due", round_, s.look_timeout),
        MoveToView("move to view", round_, s.move_timeout, "survey"),
        LookAround("look around", round_, s.look_timeout),
        Count("count", round_, s.move_timeout, "count"),
    )
    attempt = _sequence(
        "attempt",
        ChooseNext("choose", round_, s.move_timeout, "choose"),
        MoveToStandoff("move to pre-grasp", round_, s.move_timeout, "travel"),
        LookAgain("look again", round_, s.look_timeout, "look_again"),
        Approach("approach", round_, s.move_timeout, "approach"),
        Close("close", round_, s.grip_timeout, "grasp", settle=s.grip_settle),
        Cut("cut", round_, s.cut_timeout, "cut"),
        *_laying_down(round_),
    )
    held = _sequence(
        "lay down what is held",
        StillHolding("still holding", round_, s.look_timeout),
        _selector("lay down", _sequence("into the punnet", *_laying_down(round_)), _recover(round_)),
    )
    step = _selector("look or pick", held, survey, _selector("candidate", attempt, _recover(round_)))
    return Loop("harvest segment", step, lambda: finished(round_))


def _laying_down(round_: Round) -> list[Behaviour]:
    s = round_.settings
    return [
        Carry("carry", round_, s.move_timeout, "place"),
        Release("release", round_, s.grip_timeout, "place", settle=s.grip_settle),
        Conclude("conclude", round_, s.move_timeout),
    ]


def _recover(round_: Round) -> Behaviour:
    s = round_.settings
    return _sequence(
        "recover",
        _whatever(OpenWide("open wide", round_, s.grip_timeout, "recover")),
        _whatever(BackOut("back out", round_, s.move_timeout, "recover")),
        GiveUp("give up", round_, s.move_timeout),
    )


def finished(round_: Round) -> bool:
    """Return whether the round has nothing left to do; what a quota leaves hanging is still looked at and counted."""
    if round_.current is not None and round_.stopped is None:
        return False
    if round_.stopped is not None:
        return True
    return not round_.views and (round_.quota_reached() or not round_.candidates())


def _sequence(name: str, *children: Behaviour) -> Behaviour:
    return py_trees.composites.Sequence(name, memory=True, children=list(children))


def _selector(name: str, *children: Behaviour) -> Behaviour:
    return py_trees.composites.Selector(name, memory=True, children=list(children))


def _whatever(child: Behaviour) -> Behaviour:
    return py_trees.decorators.FailureIsSuccess(name=f"{child.name}, or not", child=child)
