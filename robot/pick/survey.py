"""Where the survey looks: views along a segment, each moved to where most was not shown yet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from robot.arms import Camera
from robot.pick.candidates import Window
from robot.pick.grasp import Pose, rotation
from robot.pick.settings import PickSettings
from robot.pick.shown import CELL


def survey_views(window: Window, camera: Camera, settings: PickSettings, at: float) -> list[Pose]:
    """Return tool poses along the segment from which the camera sees all of it, the middle from two sides.

    Views from the beginning look towards the end and the others back: what a leaf or another fruit hides from one side
    shows from the other. The view nearest to the tool comes first: picking goes on between the views, along the bed.

    Args:
        at: where the tool is along the bed [m].
    """
    start, end = window.start, window.end
    count = max(1, round((end - start) / settings.survey_step))
    step = (end - start) / count
    aim = np.array([0.0, settings.crop_front, sum(settings.heights) / 2.0])
    poses = []
    for i in range(count):
        aim[0] = start + (i + 0.5) * step
        side = 0.0 if count == 1 else 1.0 - 2.0 * i / (count - 1)
        orientation = rotation(side * settings.survey_yaw, settings.survey_pitch)
        looking = orientation @ camera.T_tool_camera[:3, :3]
        offset = orientation @ camera.T_tool_camera[:3, 3]
        pose = np.eye(4)
        pose[:3, :3] = orientation
        pose[:3, 3] = aim - looking[:, 2] * settings.survey_distance - offset
        poses.append(pose)
    return sorted(poses, key=lambda pose: abs(float(pose[0, 3]) - at))


def aim_of(pose: Pose, camera: Camera, front: float) -> float:
    """Return where along the row the camera looks from a pose of the tool, world x [m]; `front` as in `Coverage`."""
    eye = pose @ camera.T_tool_camera
    ahead = (front - float(eye[1, 3])) / float(eye[1, 2])
    return float(eye[0, 3] + ahead * eye[0, 2])


def moved(pose: Pose, camera: Camera, settings: PickSettings, missing: Sequence[float], at: float) -> Pose:
    """Return a view moved along the row to the middle of what was not shown yet, or to its end nearer to the tool.

    Args:
        missing: places along the row that were not shown, ascending [m].
        at: where the tool is along the bed [m].
    """
    low, high, half = missing[0] - 0.5 * CELL, missing[-1] + 0.5 * CELL, settings.view_half
    middle = 0.5 * (low + high)
    nearer = low + half if at < middle else high - half
    view = pose.copy()
    view[0, 3] += (middle if high - low < 2.0 * half else nearer) - aim_of(pose, camera, settings.crop_front)
    return view
