"""What a simulated bed side is like: place, cultivar, ripeness, clusters and leaves, as frozen settings."""

from __future__ import annotations

from dataclasses import dataclass, field

Range = tuple[float, float]


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
    """

    name: str = "medium"
    half_width: Range = (0.0130, 0.0175)
    aspect: Range = (1.10, 1.35)
    density: float = 930.0
    stem_length: Range = (0.08, 0.16)
    stem_radius: Range = (0.0009, 0.0013)
    break_force: Range = (4.0, 9.0)


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

    def __post_init__(self) -> None:
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
