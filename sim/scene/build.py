"""Put robot, bed and fruit together into one compiled MuJoCo model, and say which id is what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import mujoco
import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription, load_arm
from sim.scene import shapes, textures
from sim.scene.leaves import LeafSpec, leaflets
from sim.scene.names import Names, look_up
from sim.scene.parts import (
    AWAY,
    COLLISION,
    FRUIT,
    ROBOT,
    STRUCTURE,
    TOUCHES_ARM,
    VISUAL,
    inertia,
    quaternion,
)
from sim.scene.plants import Bed, BerrySpec, grow
from sim.scene.robot import add_robots, prefix
from sim.scene.settings import SceneSettings

HANGING, LOOSE, STOWED = 0, 1, 2
"""The three bodies of one berry: on its stem, free after the cut, at rest in the punnet. Two of them are away."""

UPPER_STEM = 0.5
"""Share of a stem above the place where it bends, besides its node."""

STEM_STIFFNESS, STEM_DAMPING = 1.5e-3, 1.2e-4
"""Of the two bends of a stem [N m/rad, N m s/rad]: E I / L of a pedicel of 1.1 mm, E = 80 MPa, 6 cm; assumption."""

STALK_MASS = 0.0003
"""Of the upper half of a stem [kg]; assumption."""

LEAF_STIFFNESS, LEAF_DAMPING, LEAF_MASS = 0.02, 1.0e-3, 0.0015
"""Of a leaf about the bend of its petiole [N m/rad, N m s/rad, kg]: 3 E I / L of a petiole of 1.4-2 mm; assumption."""

PARKED_Z = -3.0
"""Where loose bodies wait, asleep and weightless, until their berry is cut [m]."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """A compiled model with what grows in it, as one robot's. The model is changed as berries are cut."""

    settings: SceneSettings
    seed: int
    arm: ArmDescription
    bed: Bed
    model: mujoco.MjModel
    names: Names


def build_scene(settings: SceneSettings, seed: int) -> Scene:
    """Build the scene; the same settings and seed give the same model."""
    return build_scenes(settings, seed, (settings.arm,))[0]


def build_scenes(settings: SceneSettings, seed: int, arms: Sequence[str]) -> tuple[Scene, ...]:
    """Build one model in which robots with these arms share the rail; return it as each of them has it."""
    robots = {prefix(number): load_arm(name) for number, name in enumerate(arms)}
    bed = grow(settings, seed)
    spec = mujoco.MjSpec()
    spec.modelname = "berrybrain"
    _options(spec)
    rng = np.random.default_rng([seed, 0x5C1E])
    _surroundings(spec, settings, rng)
    _plants(spec, bed, rng)
    add_robots(spec, robots)
    _fruit(spec, bed, rng, list(robots))
    model = spec.compile()
    return tuple(
        Scene(
            settings=replace(settings, arm=name),
            seed=seed,
            arm=arm,
            bed=bed,
            model=model,
            names=look_up(model, arm, bed, own),
        )
        for name, (own, arm) in zip(arms, robots.items(), strict=True)
    )


def _options(spec: mujoco.MjSpec) -> None:
    option = spec.option
    option.timestep = 0.002
    option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    option.impratio = 10.0
    option.enableflags |= int(mujoco.mjtEnableBit.mjENBL_SLEEP)
    option.sleep_tolerance = 2e-3
    option.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_AUTORESET)  # a silent reset would look like a teleport
    spec.compiler.degree = False
    visual = spec.visual
    visual.quality.offsamples = 0
    visual.quality.shadowsize = 0
    visual.quality.numslices = 14
    visual.quality.numstacks = 8
    visual.map.znear = 0.01
    visual.map.zfar = 12.0
    visual.global_.offwidth = 1280
    visual.global_.offheight = 960
    visual.global_.fovy = 58.0
    visual.headlight.ambient = [0.42, 0.42, 0.42]
    visual.headlight.diffuse = [0.28, 0.28, 0.28]
    visual.headlight.specular = [0.05, 0.05, 0.05]
    spec.stat.extent = 1.0
    spec.stat.center = [1.0, 0.3, 0.9]


def _texture(
    spec: mujoco.MjSpec, name: str, image: npt.NDArray[np.uint8], *, repeat: float = 1.0, shine: float = 0.0
) -> str:
    texture = spec.add_texture(
        name=name, type=mujoco.mjtTexture.mjTEXTURE_2D, width=image.shape[1], height=image.shape[0], nchannel=3
    )
    texture.data = image.tobytes()
    material = spec.add_material(name=name, specular=shine, shininess=0.6, texrepeat=[repeat, repeat], texuniform=False)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name
    return name


def _mesh(
    spec: mujoco.MjSpec, name: str, mesh: shapes.Mesh, scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> str:
    spec.add_mesh(
        name=name,
        uservert=mesh.vertices.astype(np.float32).ravel(),
        userface=mesh.faces.ravel(),
        usertexcoord=mesh.texcoords.astype(np.float32).ravel(),
        userfacetexcoord=mesh.faces.ravel(),
        scale=scale,
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
    )
    return name


def _surroundings(spec: mujoco.MjSpec, settings: SceneSettings, rng: np.random.Generator) -> None:
    world = spec.worldbody
    spec.add_texture(
        name="sky",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=[0.86, 0.89, 0.90],
        rgb2=[0.60, 0.62, 0.58],
        width=32,
        height=192,
    )
    world.add_light(pos=[1.0, -1.5, 3.5], dir=[0.0, 0.55, -0.8], type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
                    diffuse=[0.55, 0.54, 0.5], specular=[0.25, 0.25, 0.25], castshadow=False)  # fmt: skip
    middle, half = settings.origin + 0.5 * settings.length, 0.5 * settings.length + 0.15
    ground = _texture(spec, "ground", textures.ground(rng), repeat=12.0)
    world.add_geom(name="floor", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[6, 6, 0.1], pos=[middle, 0, 0],
                   material=ground, contype=STRUCTURE, conaffinity=FRUIT | 1, condim=3)  # fmt: skip
    behind = _texture(spec, "backdrop", textures.backdrop(rng))
    world.add_geom(name="backdrop", type=mujoco.mjtGeom.mjGEOM_BOX, size=[4.0, 0.01, 1.3], pos=[middle, 2.2, 1.3],
                   material=behind, contype=0, conaffinity=0)  # fmt: skip
    depth, height = 0.15, (0.10 if settings.style == "table_top" else settings.top_z - 0.02)
    white, dark = (0.93, 0.93, 0.91, 1.0), (0.24, 0.18, 0.13, 1.0)
    for name, y, hits in (
        ("gutter", settings.edge_y + depth, STRUCTURE),
        ("next_gutter", settings.edge_y + depth + 1.2, 0),
    ):
        world.add_geom(name=name, type=mujoco.mjtGeom.mjGEOM_BOX, size=[half, depth, 0.5 * height],
                       pos=[middle, y, settings.top_z - 0.02 - 0.5 * height], rgba=white,
                       contype=hits, conaffinity=(FRUIT | 1) if hits else 0)  # fmt: skip
        world.add_geom(name=f"{name}_substrate", type=mujoco.mjtGeom.mjGEOM_BOX, size=[half, depth - 0.02, 0.012],
                       pos=[middle, y, settings.top_z - 0.012], rgba=dark, contype=0, conaffinity=0)  # fmt: skip
        for x in (middle - half + 0.1, middle + half - 0.1):
            world.add_geom(type=mujoco.mjtGeom.mjGEOM_CYLINDER, fromto=[x, y, 0, x, y, settings.top_z - 0.12],
                           size=[0.02, 0, 0], rgba=(0.6, 0.62, 0.63, 1.0), contype=0, conaffinity=0)  # fmt: skip
    for y in (-0.12, 0.12):
        world.add_geom(type=mujoco.mjtGeom.mjGEOM_CYLINDER, fromto=[-1.3, y, 0.09, 4.2, y, 0.09], size=[0.025, 0, 0],
                       rgba=(0.62, 0.64, 0.66, 1.0), group=ROBOT, contype=0, conaffinity=0)  # fmt: skip


def _plants(spec: mujoco.MjSpec, bed: Bed, rng: np.random.Generator) -> None:
    leaf = _texture(spec, "leaf", textures.leaf(rng), shine=0.1)
    spec.add_material(name="stem", rgba=[0.53, 0.64, 0.33, 1.0], specular=0.1)
    spec.add_material(name="calyx", rgba=[0.36, 0.55, 0.22, 1.0], specular=0.1)
    for i, leaves in enumerate(bed.plants):
        upright = tuple(one for one in leaves if not one.droops)
        for k, one in enumerate(one for one in leaves if one.droops):
            _hanging_leaf(spec, one, f"leaf_{i}_{k}", leaf)
        if not upright:
            continue
        name = _mesh(spec, f"plant_{i}", shapes.plant(upright))
        _drawn(spec.worldbody, name, leaf)
        shift = leaves[0].root + np.array([0.03, 1.2, 0.02])
        if i % 2 == 0:
            far = spec.worldbody.add_body(name=f"far_plant_{i}", pos=shift - leaves[0].root)
            _drawn(far, name, leaf)
    if bed.berries:
        _drawn(spec.worldbody, _mesh(spec, "peduncles", shapes.stems(bed)), "stem")


def _hanging_leaf(spec: mujoco.MjSpec, leaf: LeafSpec, name: str, material: str) -> None:
    """Add a leaf that hangs from the bend of its petiole over the edge and swings when the robot pushes it."""
    body = spec.worldbody.add_body(name=name, pos=leaf.bend, gravcomp=1, sleep=mujoco.mjtSleepPolicy.mjSLEEP_ALLOWED)
    body.add_joint(name=name, type=mujoco.mjtJoint.mjJNT_BALL, stiffness=LEAF_STIFFNESS, damping=LEAF_DAMPING,
                   armature=2e-6)  # fmt: skip
    inertia(body, LEAF_MASS, leaf.tip - leaf.bend, 0.02)
    mesh = shapes.plant((leaf,))
    _drawn(body, _mesh(spec, name, replace(mesh, vertices=mesh.vertices - leaf.bend)), material)
    for center, axes, size in leaflets(leaf):
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=center - leaf.bend,
            quat=quaternion(axes),
            size=size,
            group=COLLISION,
            contype=0,
            conaffinity=TOUCHES_ARM,
            condim=3,
            friction=[0.3, 0.005, 0.0001],
            solref=[0.02, 1.0],
            mass=0,
        )


def _drawn(body: mujoco.MjsBody, mesh: str, material: str, name: str = "") -> None:
    body.add_geom(name=name, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=mesh, material=material, group=VISUAL,
                  contype=0, conaffinity=0, mass=0)  # fmt: skip


def _fruit(spec: mujoco.MjSpec, bed: Bed, rng: np.random.Generator, robots: Sequence[str]) -> None:
    unit, star = shapes.berry(), shapes.calyx()
    for b in bed.berries:
        material = _texture(spec, f"skin_{b.id}", textures.fruit_skin(b, rng), shine=0.35)
        _mesh(spec, f"flesh_{b.id}", unit, (b.half_width, b.half_width, b.half_length))
        radius = b.half_width * (0.85 + 0.15 * (b.id % 3))
        _mesh(spec, f"calyx_{b.id}", star, (radius, radius, 0.5 * radius))
        spin = [float(np.cos(0.5 * b.spin)), 0.0, 0.0, float(np.sin(0.5 * b.spin))]
        hanging = _stem(spec, b)
        drop = b.anchor[2] - b.center[2] - UPPER_STEM * b.stem_length
        _berry_geoms(hanging, b, material, [0.0, 0.0, -drop], spin, away=False)
        loose = spec.worldbody.add_body(
            name=f"loose_{b.id}", pos=[b.center[0], 2.0, PARKED_Z], gravcomp=1, sleep=mujoco.mjtSleepPolicy.mjSLEEP_INIT
        )
        loose.add_freejoint(name=f"loose_{b.id}")
        _berry_geoms(loose, b, material, [0.0, 0.0, 0.0], spin, away=True)
        for own in robots:
            carriage = spec.body(f"{own}carriage")
            stowed = carriage.add_body(name=f"{own}stowed_{b.id}", pos=[0.0, 0.0, PARKED_Z], gravcomp=1)
            _berry_geoms(stowed, b, material, [0.0, 0.0, 0.0], spin, away=True)


def _stem(spec: mujoco.MjSpec, b: BerrySpec) -> mujoco.MjsBody:
    """Add the upper half of a stem, which bends at its node, and return the body that bends on from its lower end."""
    upper = spec.worldbody.add_body(name=f"stalk_{b.id}", pos=b.anchor, sleep=mujoco.mjtSleepPolicy.mjSLEEP_ALLOWED)
    length = UPPER_STEM * b.stem_length
    inertia(upper, STALK_MASS, [0.0, 0.0, -0.5 * length], 0.3 * length)
    middle = [0.0, 0.0, -0.5 * length]
    upper.add_geom(name=f"stalk_{b.id}", type=mujoco.mjtGeom.mjGEOM_CAPSULE, size=[b.stem_radius, 0.5 * length, 0],
                   pos=middle, material="stem", group=VISUAL, contype=0, conaffinity=0, mass=0)  # fmt: skip
    hanging = upper.add_body(name=f"hanging_{b.id}", pos=[0.0, 0.0, -length])
    for body, name in ((upper, f"stalk_{b.id}"), (hanging, f"hanging_{b.id}")):
        body.add_joint(name=name, type=mujoco.mjtJoint.mjJNT_BALL, stiffness=STEM_STIFFNESS, damping=STEM_DAMPING,
                       armature=1e-5)  # fmt: skip
    return hanging


def _berry_geoms(
    body: mujoco.MjsBody, b: BerrySpec, material: str, at: list[float], spin: list[float], *, away: bool
) -> None:
    kind = body.name.split("/")[-1].split("_")[0]
    carried = kind == "stowed"
    top = at[2] + b.half_length
    stem = (1.0 - UPPER_STEM) * b.stem_length if kind == "hanging" else 0.012
    body.add_geom(
        name=f"hull_{body.name}",
        type=mujoco.mjtGeom.mjGEOM_ELLIPSOID,
        size=[b.half_width * 0.97, b.half_width * 0.97, b.half_length * 0.97],
        pos=at,
        group=COLLISION,
        mass=0.0 if carried else b.mass,
        contype=0 if away else FRUIT,
        conaffinity=0 if away else FRUIT | STRUCTURE | 1,
        condim=4,
        friction=[0.8, 0.008, 0.0001],
        solref=[0.01, 1.0],
        solimp=[0.8, 0.97, 0.002, 0.5, 2.0],
    )
    group = AWAY if away else VISUAL
    for mesh, paint, pos, quat in (
        (f"flesh_{b.id}", material, at, spin),
        (f"calyx_{b.id}", "calyx", [at[0], at[1], top - 0.1 * b.half_length], spin),
    ):
        body.add_geom(name=f"{mesh.split('_')[0]}_{body.name}", type=mujoco.mjtGeom.mjGEOM_MESH, meshname=mesh,
                      material=paint, pos=pos, quat=quat, group=group, contype=0, conaffinity=0, mass=0)  # fmt: skip
    body.add_geom(name=f"stem_{body.name}", type=mujoco.mjtGeom.mjGEOM_CAPSULE, size=[b.stem_radius, 0.5 * stem, 0],
                  pos=[at[0], at[1], top + 0.5 * stem], material="stem", group=group,
                  contype=0, conaffinity=0, mass=0)  # fmt: skip
