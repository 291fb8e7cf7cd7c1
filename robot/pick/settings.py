"""Settings of the picking skill, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PickSettings:
    """Lengths in m, times in s, speeds in m/s.

    Attributes:
        standoff: pre-grasp distance back along the approach; the camera, behind the tool, has the fruit in range.
        retract: straight way out with the fruit, enough to bring its tip out of the row.
        approach_speed: slow enough to stop before a fruit is pushed (reference: at most 0.25).
        beside_speed, beside: of the last so many metres of an approach on which a finger pushes a neighbour back.
        pushes: a neighbour pushed back less than this is not minded.
        push_force: jaws that press so hard on something on such an approach stop.
        short: an approach that was stopped so near to its end is good enough to close the jaws.
        further: from so much further out the tool goes straight in where fruit hangs beside the way.
        pose_age_max: an approach decided on an older picture is refused (R6).
        relook_shift: a berry that moved more than this between survey and the second look is another one.
        relook_agree: one that moved more than this is looked at once more before it is believed.
        looks: pre-grasp poses from which a berry may be looked for in vain without an attempt being lost.
        sure: a berry seen in so many pictures is also taken where something hides it from the nearest one.
        place_tilts: of the tool below the horizontal when laying down [rad], the first that reaches is taken; the less
            the tool turns, the sooner it is there.
        lift_overlap, swing_overlap, lower_overlap: leaving the crop, the way to the punnet and lowering begin so long
            before what comes before them has ended; this cuts corners by a few mm.
        survey_distance: of the camera from the crop.
        survey_yaw: the outermost views look along the bed towards its middle by this [rad].
        survey_pitch: the tool looks up by this [rad], so that the camera, which looks down into the jaws, does not.
        crop_front: where the fruit hangs, world y.
        clear_of_crop: so far before that the tool goes along the row: leaves hang there, and one that is caught by a
            jaw and comes free again throws the tool forward.
        survey_step: between views; less than half of what a view covers, so every berry is seen from two sides.
        shown_enough: a view of the survey is left out when pictures taken while picking showed so much of its stretch.
        view_half: a view shows so much of the row to each side of where it looks.
        look_ahead: so long before the arm stands a picture is asked for; it is slow by then.
        close_ahead: so long at most before the tool has gone in the jaws begin to close.
        release_ahead: so long before the fruit is down the jaws begin to open; the tool is slow by then.
        heights: of the crop's fruit above the floor, lowest and highest.
    """

    standoff: float = 0.065
    retract: float = 0.065
    approach_speed: float = 0.25
    beside_speed: float = 0.12
    beside: float = 0.035
    pushes: float = 0.003
    push_force: float = 0.8
    short: float = 0.009
    further: float = 0.06
    retract_speed: float = 0.49
    speed: float = 1.0
    force: float = 1.0
    pose_age_max: float = 0.30
    relook_shift: float = 0.030
    relook_agree: float = 0.010
    sure: int = 2
    attempts: int = 2
    looks: int = 1
    interruptions: int = 3
    survey_distance: float = 0.32
    survey_yaw: float = 0.30
    survey_step: float = 0.30
    survey_pitch: float = 0.18
    crop_front: float = 0.55
    clear_of_crop: float = 0.10
    heights: tuple[float, float] = (0.83, 1.02)
    crowding_max: float = 0.026
    place_tilts: tuple[float, ...] = (1.10, 1.35, 1.57, 1.80)
    lift_overlap: float = 0.08
    swing_overlap: float = 0.18
    lower_overlap: float = 0.20
    lower_speed: float = 0.49
    shown_enough: float = 0.8
    view_half: float = 0.20
    look_ahead: float = 0.095
    close_ahead: float = 0.12
    release_ahead: float = 0.06
    grip_settle: float = 0.02
    move_timeout: float = 12.0
    look_timeout: float = 1.5
    grip_timeout: float = 3.0
    cut_timeout: float = 1.5
    tick: float = 0.01
