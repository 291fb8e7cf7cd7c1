"""Draw labelled pictures one after the other: scenes from a seed, several views of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import mujoco
import numpy as np
import numpy.typing as npt

from sim.dataset.labels import FlowerLabel, FruitLabel, label, label_flowers
from sim.dataset.look import Look, draw_look
from sim.dataset.photo import Photo, draw_photo, expose, stereo
from sim.dataset.scene import Still, build_still
from sim.dataset.views import View, draw_view, intrinsics_of, look_along, set_light, take_place
from sim.offscreen import Offscreen
from vision.types import Intrinsics

FINER = 2
"""Colour is drawn this many times finer and averaged, so that edges are soft as in photographs."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rendered:
    """One picture with everything that is known about it.

    Attributes:
        color: RGB, shape (h, w, 3).
        depth, measured: distance along the optical axis [m], shape (h, w): ideal, and as a stereo camera gives it.
        mask: id of the label each pixel belongs to, 0 for none, shape (h, w).
        T_world_camera: of the optical frame, shape (4, 4).
        up: direction against gravity in the optical frame, shape (3,).
    """

    scene: int
    color: npt.NDArray[np.uint8]
    depth: npt.NDArray[np.float32]
    measured: npt.NDArray[np.float32]
    mask: npt.NDArray[np.uint16]
    fruit: tuple[FruitLabel, ...]
    flowers: tuple[FlowerLabel, ...]
    camera: Intrinsics
    T_world_camera: npt.NDArray[np.float64]
    photo: Photo
    look: Look

    @property
    def up(self) -> npt.NDArray[np.float64]:
        return np.asarray(self.T_world_camera[2, :3], np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderSettings:
    """What to draw.

    Attributes:
        width, height: of the pictures [px].
        views: pictures of one scene before the next is grown.
        near: only views at 0.25-0.6 m with the robot camera's field of view, for measuring positions.
        look: draws a scene's look.
    """

    width: int = 640
    height: int = 480
    views: int = 8
    near: bool = False
    look: Callable[[np.random.Generator], Look] = draw_look


def render(settings: RenderSettings, seed: int, pictures: int, first: int = 0) -> Iterator[Rendered]:
    """Draw pictures number `first` and following of a seed; a picture depends on seed, number and settings only.

    Raises:
        OffscreenError: no way to draw without a display.
    """
    number, end = first, first + pictures
    while number < end:
        scene = number // settings.views
        stop = min(end, (scene + 1) * settings.views)
        yield from _views(settings, seed, scene, range(number, stop))
        number = stop


def render_pass(
    settings: RenderSettings, seed: int, *, step: float = 0.05, distance: float = 0.4
) -> Iterator[Rendered]:
    """Draw what a camera sees that drives along one bed, looking at the fruit from the front, in one light.

    Args:
        step: between two pictures [m].
        distance: from the camera to the fruit [m].
    """
    with _studio(settings, seed, 0) as studio:
        rng = np.random.default_rng([seed, 0x9A55])
        shadows = set_light(studio.still, rng)
        bed = studio.still.look.bed
        height = 0.5 * (bed.fruit_z[0] + bed.fruit_z[1])
        for x in np.arange(bed.origin - 0.1, bed.origin + bed.length + 0.1, step):
            place = np.array([x, float(np.mean(bed.fruit_y)) - distance, height]) + rng.normal(0.0, 0.004, 3)
            toward = np.array([rng.normal(0.0, 0.03), 1.0, rng.normal(0.0, 0.03)])
            view = View(
                T_world_camera=look_along(place, toward / np.linalg.norm(toward), 0.0), field_of_view=np.radians(58.0)
            )
            yield studio.take(view, rng, shadows=shadows)


def _views(settings: RenderSettings, seed: int, scene: int, numbers: range) -> Iterator[Rendered]:
    with _studio(settings, seed, scene) as studio:
        for number in numbers:
            rng = np.random.default_rng([seed, number, 0x71E5])
            view = draw_view(studio.still, rng, near=settings.near)
            yield studio.take(view, rng, shadows=set_light(studio.still, rng))


@contextmanager
def _studio(settings: RenderSettings, seed: int, scene: int) -> Iterator[_Studio]:
    """Grow a scene and open a drawing context for it."""
    rng = np.random.default_rng([seed, scene, 0x57111])
    look = settings.look(rng)
    w, h = FINER * settings.width, FINER * settings.height
    still = build_still(look, int(rng.integers(2**31)), rng, width=w, height=h)
    data = mujoco.MjData(still.model)
    mujoco.mj_forward(still.model, data)
    offscreen = Offscreen(still.model, w, h)
    try:
        yield _Studio(settings=settings, still=still, data=data, offscreen=offscreen, scene=scene)
    finally:
        offscreen.close()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Studio:
    """A scene with the means to draw it."""

    settings: RenderSettings
    still: Still
    data: mujoco.MjData
    offscreen: Offscreen
    scene: int

    def take(self, view: View, rng: np.random.Generator, *, shadows: bool) -> Rendered:
        """Take one picture in the light that is set."""
        w, h = self.settings.width, self.settings.height
        still, data, offscreen = self.still, self.data, self.offscreen
        take_place(still, data, view)
        eye = offscreen.fixed(still.camera)
        offscreen.show_shadows(shadows)
        offscreen.resize(FINER * w, FINER * h)
        fine = offscreen.draw(data, eye).color
        offscreen.resize(w, h)
        depth = offscreen.draw(data, eye).depth
        shown = offscreen.draw_ids(data, eye)
        camera = intrinsics_of(view, w, h)
        mask, fruit = label(still, shown, view, camera)
        flowers = tuple(label_flowers(still, shown, mask, view, len(fruit) + 1))
        photo = draw_photo(rng, plain=still.look.plain)
        drawing = cv2.resize(fine, (w, h), interpolation=cv2.INTER_AREA)
        return Rendered(
            scene=self.scene,
            color=expose(np.asarray(drawing, np.uint8), depth, photo, rng),
            depth=depth,
            measured=stereo(depth, camera.fx, rng),
            mask=mask,
            fruit=tuple(fruit),
            flowers=flowers,
            camera=camera,
            T_world_camera=view.T_world_camera,
            photo=photo,
            look=still.look,
        )
