"""What a simulated bed side is like: place, cultivar, ripeness, clusters and leaves, as frozen settings."""

from __future__ import annotations

from dataclasses import dataclass, field

Range = tuple[float, float]

STYLES = ("table_top", "ridge")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cultivar:
    """Fruit and stems of one cultivar; ranges are drawn uniformly per berry. Default: a medium, conical type.

    Attributes:
        half_width: largest half width across the axis [m].
        aspect: length over width.
        density: mass over the volume of the drawn shape [kg/m^3]; gives 7-25 g, as published for small to large fruit.
        stem_length: pedicel from the truss's node to the calyx [m].
        stem_radius: [m].
        break_force: pull along the stem that tears the fruit off [N]; assumption.
        firmness: what the fruit stands as a share of the damage model's limits; 1 = a firm transport cultivar.
    """

    name: str = "medium"
    half_width: Range = (0.0130, 0.0175)
    aspect: Range = (1.10, 1.35)
    density: float = 930.0
    stem_length: Range = (0.08, 0.16)
    stem_radius: Range = (0.0009, 0.0013)
    break_force: Range = (4.0, 9.0)
    firmness: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StageShares:
    """Shares of the fruit stages on the plant; they must add up to 1."""

    green: float = 0.28
    white: float = 0.14
    turning: float = 0.16
    ripe: float = 0.42

    def __post_init__(self) -> None:
        total = self.green + self.white + self.turning + self.ripe
        if abs(total - 1.0) > 1e-6:
            raise ValueError(f"stage shares must add up to 1, got {total:.4f}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """How many ripe berries of each class of difficulty hang on the bed side, and how many unripe ones among them."""

    isolated: int = 0
    partly_hidden: int = 0
    cluster: int = 0
    enclosed: int = 0
    unripe: int = 0

    def __post_init__(self) -> None:
        if min(self.isolated, self.partly_hidden, self.cluster, self.enclosed, self.unripe) < 0:
            raise ValueError(f"expected counts >= 0, got {self}")

    @property
    def ripe(self) -> int:
        return self.isolated + self.partly_hidden + self.cluster + self.enclosed


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBerry:
    """One berry whose place and shape are told; None is drawn from the cultivar.

    Attributes:
        position: along the bed from its beginning, in front of the gutter's edge, below the top; of its centre [m].
        ripeness: share of its skin that has the ripe colour, 0-1.
        maturity: colour of the unripe skin, 0 = green, 1 = white; None follows from the ripeness.
        half_width, half_length: across and along the axis [m].
        stem_length: from the truss's node to the calyx [m].
        truss: berries with the same number hang on one peduncle; None = a peduncle of its own.
    """

    position: tuple[float, float, float]
    ripeness: float
    maturity: float | None = None
    half_width: float | None = None
    half_length: float | None = None
    stem_length: float | None = None
    stem_radius: float | None = None
    mass: float | None = None
    break_force: float | None = None
    truss: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenLeaf:
    """One leaf that hangs in front of the fruit: its petiole comes over the gutter's edge and ends at `position`.

    Attributes:
        position: where the three leaflets meet, in the bed's frame as for berries [m]; they hang down from there.
        size: of a leaflet [m]; it is 1.15 times as long and 0.99 times as wide.
        turn: of the leaf's face about the vertical, 0 = towards the aisle [rad].
        tilt: of its face upwards [rad].
    """

    position: tuple[float, float, float]
    size: float = 0.045
    turn: float = 0.0
    tilt: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneSettings:
    """One side of one table-top bed, in world coordinates (x along the bed, y towards the plants, z up).

    Attributes:
        arm: name of the arm description.
        origin: x where the bed begins [m].
        length: of the bed side [m].
        edge_y: front edge of the gutter on the aisle side [m].
        top_z: top of the substrate [m].
        plants_per_m: along the bed.
        berries: number of fruit on this side.
        segment_length: a bed segment, as counts and orders use it [m].
        cluster_rate: share of the trusses that carry 2-4 fruit touching or nearly touching each other.
        leaf_occlusion: share of the leaves that droop in front of the fruit on the aisle side.
        fruit_front: how far the fruit's centre hangs in front of the edge [m].
        fruit_below: how far it hangs below the top [m].
        style: "table_top": a gutter on posts; "ridge": a ridge whose face reaches the floor.
        mix: draw fruit by class of difficulty instead of by `berries`, `shares` and `cluster_rate`.
        given_berries, given_leaves: told one by one; with any of them no fruit is drawn at random.
    """

    arm: str = "ur3e"
    origin: float = 0.2
    length: float = 2.4
    edge_y: float = 0.62
    top_z: float = 1.15
    plants_per_m: float = 5.0
    berries: int = 45
    segment_length: float = 0.6
    cluster_rate: float = 0.22
    leaf_occlusion: float = 0.25
    fruit_front: Range = (0.022, 0.09)
    fruit_below: Range = (0.13, 0.32)
    cultivar: Cultivar = field(default_factory=Cultivar)
    shares: StageShares = field(default_factory=StageShares)
    style: str = "table_top"
    mix: Mix | None = None
    given_berries: tuple[GivenBerry, ...] = ()
    given_leaves: tuple[GivenLeaf, ...] = ()

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise ValueError(f"expected style to be one of {list(STYLES)}, got {self.style!r}")
        if self.length <= 0.0 or self.berries < 0 or self.plants_per_m <= 0.0:
            raise ValueError(
                "expected length > 0, plants_per_m > 0 and berries >= 0, "
                f"got {self.length}, {self.plants_per_m}, {self.berries}"
            )
        if not (0.0 <= self.cluster_rate <= 1.0 and 0.0 <= self.leaf_occlusion <= 1.0):
            raise ValueError(f"rates must be in 0..1, got {self.cluster_rate} and {self.leaf_occlusion}")

    @property
    def fruit_y(self) -> Range:
        """Range of the fruit's centre in the world [m]."""
        return self.edge_y - self.fruit_front[1], self.edge_y - self.fruit_front[0]

    @property
    def fruit_z(self) -> Range:
        """Range of the fruit's centre above the floor [m]."""
        return self.top_z - self.fruit_below[1], self.top_z - self.fruit_below[0]
