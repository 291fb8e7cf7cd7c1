"""Draw the cell into memory without a display: software or hardware EGL, else OSMesa."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
import numpy.typing as npt

from sim.scene.parts import AWAY

PACKAGES = "libegl1 libgl1-mesa-dri (EGL) or libosmesa6 (OSMesa)"


EGL_PLATFORM_DEVICE_EXT = 0x313F
"""From the EGL registry, extension EGL_EXT_platform_device."""


class OffscreenError(RuntimeError):
    """No way to draw without a display; says which Debian packages to install."""

    code = "offscreen_missing"


def choose_backend() -> str:
    """Return "egl" or "osmesa": what MUJOCO_GL asks for, else the first whose library answers.

    Raises:
        OffscreenError: neither is installed, or MUJOCO_GL names something else.
    """
    wanted = os.environ.get("MUJOCO_GL", "").strip().lower()
    if wanted not in {"", "egl", "osmesa"}:
        raise OffscreenError(f"expected MUJOCO_GL=egl or osmesa, or unset, got {wanted!r}")
    probes = {"egl": _egl_answers, "osmesa": _osmesa_answers}
    for name in [wanted] if wanted else list(probes):
        if probes[name]():
            return name
    raise OffscreenError(
        f"no drawing without a display ({wanted or 'EGL and OSMesa'} not usable); on Debian: apt-get install {PACKAGES}"
    )


def _egl_answers() -> bool:
    """Return whether an EGL device can be initialised; asks the library itself, before anything is bound to it."""
    try:
        egl = ctypes.CDLL("libEGL.so.1")
        egl.eglGetProcAddress.restype = ctypes.c_void_p
        found = [egl.eglGetProcAddress(name) for name in (b"eglQueryDevicesEXT", b"eglGetPlatformDisplayEXT")]
        initialize = egl.eglInitialize
    except (OSError, AttributeError):
        return False
    if None in found:
        return False
    pointer, number = ctypes.c_void_p, ctypes.c_int
    query = ctypes.CFUNCTYPE(ctypes.c_uint, number, ctypes.POINTER(pointer), ctypes.POINTER(number))(found[0])
    display_of = ctypes.CFUNCTYPE(pointer, ctypes.c_uint, pointer, ctypes.POINTER(number))(found[1])
    initialize.argtypes = [pointer, ctypes.POINTER(number), ctypes.POINTER(number)]
    devices, count = (pointer * 16)(), number(0)
    if not query(16, devices, ctypes.byref(count)):
        return False
    displays = [display_of(EGL_PLATFORM_DEVICE_EXT, devices[k], None) for k in range(count.value)]
    return any(bool(display) and bool(initialize(display, None, None)) for display in displays)


def _osmesa_answers() -> bool:
    for name in ("libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so", ctypes.util.find_library("OSMesa") or ""):
        try:
            if name:
                ctypes.CDLL(name)
                return True
        except OSError:
            continue
    return False


def _context(width: int, height: int) -> Any:
    """Return a current GL context of MuJoCo's, by the first backend that works."""
    backend = choose_backend()
    os.environ.setdefault("LP_NUM_THREADS", "1")
    try:
        if backend == "egl":
            from mujoco.egl import GLContext
        else:
            from mujoco.osmesa import GLContext
        context = GLContext(width, height)
    except (ImportError, RuntimeError, AttributeError, OSError) as error:
        raise OffscreenError(f"{backend} failed ({error}); on Debian: apt-get install {PACKAGES}") from error
    context.make_current()
    return context


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """RGB (h, w, 3) uint8, and distance along the optical axis [m] (h, w) float32 up to the far plane."""

    color: npt.NDArray[np.uint8]
    depth: npt.NDArray[np.float32]


class Offscreen:
    """One drawing context for one model. Use from one thread; close it before the program ends."""

    def __init__(self, model: mujoco.MjModel, width: int, height: int) -> None:
        self._model = model
        self.width, self.height = width, height
        self._gl: Any = _context(width, height)
        self._context: Any = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._context.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR
        self._scene = mujoco.MjvScene(model, maxgeom=model.ngeom + 100)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = False
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False
        self._scene.flags[mujoco.mjtRndFlag.mjRND_HAZE] = False
        self._rect = mujoco.MjrRect(0, 0, width, height)
        self._option = mujoco.MjvOption()
        self._option.geomgroup[:] = [1, 1, 1, 0, 0, 0]
        assert AWAY == 5

    def show_robot(self, shown: bool) -> None:
        """Draw the robot (default) or leave it out."""
        self._option.geomgroup[2] = int(shown)

    def show_shadows(self, shown: bool) -> None:
        """Draw shadows of lights that cast them, or none (default)."""
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = shown

    def resize(self, width: int, height: int) -> None:
        """Draw another size from now on; neither side may exceed the model's `offwidth`, `offheight`."""
        self.width, self.height = width, height
        self._rect = mujoco.MjrRect(0, 0, width, height)

    def fixed(self, camera: int) -> mujoco.MjvCamera:
        """Return the model's own camera of this id, for `draw`."""
        view = mujoco.MjvCamera()
        view.type = mujoco.mjtCamera.mjCAMERA_FIXED
        view.fixedcamid = camera
        return view

    def free(
        self, lookat: tuple[float, float, float], distance: float, azimuth: float, elevation: float
    ) -> mujoco.MjvCamera:
        """Return a camera `distance` [m] from `lookat`, seen along `azimuth` and `elevation` [deg] (90 = along +y)."""
        view = mujoco.MjvCamera()
        view.type = mujoco.mjtCamera.mjCAMERA_FREE
        view.lookat[:] = lookat
        view.distance, view.azimuth, view.elevation = distance, azimuth, elevation
        return view

    def draw(self, data: mujoco.MjData, camera: mujoco.MjvCamera) -> Picture:
        """Draw colour and depth in one pass."""
        self._render(data, camera, segment=False)
        color = np.empty((self.height, self.width, 3), dtype=np.uint8)
        depth = np.empty((self.height, self.width), dtype=np.float32)
        mujoco.mjr_readPixels(color, depth, self._rect, self._context)
        near = np.float32(self._model.vis.map.znear * self._model.stat.extent)
        far = np.float32(self._model.vis.map.zfar * self._model.stat.extent)
        metres = near * far / (near + depth * (far - near))
        return Picture(color=np.flipud(color).copy(), depth=np.flipud(metres).astype(np.float32))

    def draw_ids(self, data: mujoco.MjData, camera: mujoco.MjvCamera) -> npt.NDArray[np.int32]:
        """Draw which geom each pixel shows, -1 for none, shape (h, w)."""
        self._render(data, camera, segment=True)
        color = np.empty((self.height, self.width, 3), dtype=np.uint8)
        mujoco.mjr_readPixels(color, None, self._rect, self._context)
        packed = color.astype(np.int32)
        index = packed[..., 0] + (packed[..., 1] << 8) + (packed[..., 2] << 16)
        table = np.full(self._scene.ngeom + 1, -1, dtype=np.int32)
        for geom in self._scene.geoms[: self._scene.ngeom]:
            if geom.segid >= 0 and geom.objtype == mujoco.mjtObj.mjOBJ_GEOM:
                table[geom.segid + 1] = geom.objid
        ids: npt.NDArray[np.int32] = np.flipud(table[np.clip(index, 0, len(table) - 1)]).copy()
        return ids

    def pose(self) -> npt.NDArray[np.float64]:
        """Return T_world_camera of the last drawing (optical frame: z forward, x right, y down), shape (4, 4)."""
        eyes = self._scene.camera
        forward = np.array(eyes[0].forward, dtype=np.float64)
        down = -np.array(eyes[0].up, dtype=np.float64)
        pose = np.eye(4)
        pose[:3, :3] = np.column_stack([np.cross(down, forward), down, forward])
        pose[:3, 3] = 0.5 * (np.array(eyes[0].pos) + np.array(eyes[1].pos))
        return pose

    def _render(self, data: mujoco.MjData, camera: mujoco.MjvCamera, *, segment: bool) -> None:
        if self._context is None:
            raise RuntimeError("expected an open drawing context, got one that was closed")
        self._gl.make_current()
        mujoco.mjv_updateScene(self._model, data, self._option, None, camera, mujoco.mjtCatBit.mjCAT_ALL, self._scene)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = segment
        self._scene.flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = segment
        mujoco.mjr_render(self._rect, self._scene, self._context)

    def close(self) -> None:
        """Free the context; a second call does nothing."""
        if self._context is not None:
            self._gl.make_current()
            self._context.free()
            self._gl.free()
            self._context = None
