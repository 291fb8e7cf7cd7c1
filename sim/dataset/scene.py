"""Put the fruit, leaves and surroundings of one look into a MuJoCo model that only stands and is looked at."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from sim.dataset import foliage, skin
from sim.dataset.fruit import Fruit, hang
from sim.dataset.look import Look
from sim.scene import shapes, textures
from sim.scene.plants import BerrySpec, grow
from sim.scene.shapes import Mesh

Array = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]

FLOWER_SIZE = (0.010, 0.017)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Still:
    """A model to look at, with what is in it.

    Attributes:
        flesh, calyx, stem: geoms of each fruit, shape (n,).
        ripe: how ripe each place of each fruit's skin is, shape (k, k) each.
        flowers: geoms of petals and heart, shape (m, 2).
        camera, sun: ids of the camera and the light to be set for each view.
    """

    look: Look
    model: mujoco.MjModel
    fruit: tuple[Fruit, ...]
    ripe: tuple[Array, ...]
    flesh: npt.NDArray[np.int32]
    calyx: npt.NDArray[np.int32]
    stem: npt.NDArray[np.int32]
    flowers: npt.NDArray[np.int32]
    camera: int
    sun: int


def build_still(look: Look, seed: int, rng: np.random.Generator, *, width: int, height: int) -> Still:
    """Build a look's model for pictures of up to `width` x `height` pixels."""
    bed = grow(look.bed, seed)
    fruit = tuple(hang(spec, look, rng) for spec in bed.berries)
    spec = mujoco.MjSpec()
    _options(spec, width, height)
    _surroundings(spec, look, rng)
    leaf = textures.leaf(rng) if look.plain else skin.leaf(look.leaf, rng)
    _material(spec, "leaf", leaf, shine=0.15)
    for i, leaves in enumerate(bed.plants):
        drawn = shapes.plant(leaves) if look.plain else foliage.plant(leaves, rng)
        _add(spec, f"plant_{i}", drawn, "leaf")
    spec.add_material(name="stem", rgba=[*look.stem, 1.0], specular=0.1)
    spec.add_material(name="calyx", rgba=[*(0.9 * np.array(look.stem)), 1.0], specular=0.1)
    if bed.trusses:
        _add(spec, "trusses", shapes.merge([shapes.tube(t.path, 0.0017) for t in bed.trusses]), "stem")
    ripe = []
    for f, b in zip(fruit, bed.berries, strict=True):
        picture, ripe_map = _skin(f, b, look, rng)
        ripe.append(ripe_map)
        _material(spec, f"skin_{f.id}", picture, shine=look.shine * rng.uniform(0.4, 1.2))
        _add(spec, f"flesh_{f.id}", f.mesh, f"skin_{f.id}")
        _add(spec, f"calyx_{f.id}", f.calyx, "calyx")
        way = np.vstack([f.stem, bed.trusses[b.truss].path[-1]])
        _add(spec, f"stem_{f.id}", shapes.tube(way, f.stem_radius, 6), "stem")
    _flowers(spec, look, rng)
    model = spec.compile()

    def ids(name: str) -> npt.NDArray[np.int32]:
        return np.array([model.geom(f"{name}_{f.id}").id for f in fruit], np.int32)

    flowers = [[model.geom(f"{part}_{k}").id for part in ("petals", "heart")] for k in range(look.flowers)]
    return Still(
        look=look,
        model=model,
        fruit=fruit,
        ripe=tuple(ripe),
        flesh=ids("flesh"),
        calyx=ids("calyx"),
        stem=ids("stem"),
        flowers=np.array(flowers, np.int32).reshape(-1, 2),
        camera=model.camera("view").id,
        sun=0,
    )


def _options(spec: mujoco.MjSpec, width: int, height: int) -> None:
    spec.compiler.degree = False
    visual = spec.visual
    visual.quality.offsamples = 0
    visual.quality.shadowsize = 1024
    visual.map.znear = 0.01
    visual.map.zfar = 12.0
    visual.global_.offwidth = max(width, 64)
    visual.global_.offheight = max(height, 64)
    visual.headlight.specular = [0.05, 0.05, 0.05]
    spec.stat.extent = 1.0
    spec.worldbody.add_camera(name="view", pos=[0.0, 0.0, 1.0])
    spec.worldbody.add_light(
        pos=[0.4, -1.0, 2.6], dir=[0.0, 0.5, -0.8], type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL, castshadow=True
    )


def _material(spec: mujoco.MjSpec, name: str, image: Image, *, shine: float = 0.0, repeat: float = 1.0) -> None:
    texture = spec.add_texture(
        name=name, type=mujoco.mjtTexture.mjTEXTURE_2D, width=image.shape[1], height=image.shape[0], nchannel=3
    )
    texture.data = image.tobytes()
    material = spec.add_material(name=name, specular=shine, shininess=0.5, texrepeat=[repeat, repeat])
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name


def _add(spec: mujoco.MjSpec, name: str, mesh: Mesh, material: str) -> None:
    """Add a mesh that lies in world coordinates."""
    spec.add_mesh(
        name=name,
        uservert=mesh.vertices.astype(np.float32).ravel(),
        userface=mesh.faces.ravel(),
        usertexcoord=mesh.texcoords.astype(np.float32).ravel(),
        userfacetexcoord=mesh.faces.ravel(),
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
    )
    spec.worldbody.add_geom(name=name, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name, material=material,
                            contype=0, conaffinity=0)  # fmt: skip


def _skin(f: Fruit, b: BerrySpec, look: Look, rng: np.random.Generator) -> tuple[Image, Array]:
    if look.plain:
        picture = textures.fruit_skin(b, rng)
        red, green = picture[..., 0].astype(np.float64), picture[..., 1].astype(np.float64)
        return picture, ((red > 1.8 * green) & (red > 80.0)).astype(np.float64)
    return skin.fruit_skin(f.ripeness, f.maturity, rng, overripe=f.stage == "overripe")


def _surroundings(spec: mujoco.MjSpec, look: Look, rng: np.random.Generator) -> None:
    bed, world = look.bed, spec.worldbody
    middle, half = bed.origin + 0.5 * bed.length, 0.5 * bed.length + 0.7
    spec.add_texture(name="sky", type=mujoco.mjtTexture.mjTEXTURE_SKYBOX, builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
                     rgb1=[0.8, 0.83, 0.85], rgb2=[0.5, 0.5, 0.45], width=16, height=96)  # fmt: skip
    box, plain = mujoco.mjtGeom.mjGEOM_BOX, {"contype": 0, "conaffinity": 0}
    _material(spec, "scenery", skin.scenery(rng))
    far = float(rng.uniform(0.5, 1.8))
    world.add_geom(type=box, size=[4.0, 0.01, 1.6], pos=[middle, bed.edge_y + far, 1.0], material="scenery", **plain)
    tone, warm = float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.0, 0.12))
    _material(spec, "floor", skin.surface((tone + warm, tone, tone - warm), 0.12, rng), repeat=10.0)
    world.add_geom(type=mujoco.mjtGeom.mjGEOM_PLANE, size=[6, 6, 0.1], material="floor", **plain)
    rough = 0.25 if look.culture == "soil" else 0.06
    _material(
        spec, "bed", skin.surface(look.ground, rough, rng), shine=0.4 if look.culture == "film" else 0.1, repeat=4
    )
    if look.culture in {"gutter", "open"}:
        high = float(rng.uniform(0.06, 0.16))
        back = bed.edge_y + 0.15 + (0.0 if look.culture == "gutter" else 0.1)
        world.add_geom(type=box, size=[half, 0.15, 0.5 * high], pos=[middle, back, bed.top_z - 0.02 - 0.5 * high],
                       material="bed", **plain)  # fmt: skip
        world.add_geom(type=box, size=[half, 0.13, 0.012], pos=[middle, back, bed.top_z - 0.012],
                       rgba=[0.2, 0.15, 0.1, 1.0], **plain)  # fmt: skip
        return
    slope = float(rng.uniform(0.15, 0.6))
    turned = [float(np.cos(0.5 * slope)), float(-np.sin(0.5 * slope)), 0.0, 0.0]
    deep = 0.25
    foot = np.array([middle, bed.edge_y + look.behind + 0.02, bed.top_z - 0.1])
    inward = np.array([0.0, np.cos(slope), -np.sin(slope)])
    world.add_geom(type=box, size=[half, deep, 0.5], pos=foot + inward * (deep + 0.06) + [0, 0, -0.1], quat=turned,
                   material="bed", **plain)  # fmt: skip


def _flowers(spec: mujoco.MjSpec, look: Look, rng: np.random.Generator) -> None:
    tone = float(rng.uniform(0.9, 1.0))
    spec.add_material(name="petal", rgba=[tone, tone, 0.97 * tone, 1.0], specular=0.1)
    spec.add_material(name="heart", rgba=[0.86, 0.74, 0.2, 1.0], specular=0.05)
    bed = look.bed
    for k in range(look.flowers):
        x = bed.origin + rng.uniform(0.0, bed.length)
        center = np.array([x, bed.fruit_y[0] + rng.uniform(-0.02, 0.05), bed.top_z - rng.uniform(-0.05, 0.12)])
        facing = np.array([rng.normal(0.0, 0.5), -1.0, rng.normal(0.3, 0.4)])
        petals, heart = foliage.flower(center, facing, float(rng.uniform(*FLOWER_SIZE)), rng)
        _add(spec, f"petals_{k}", petals, "petal")
        _add(spec, f"heart_{k}", heart, "heart")
