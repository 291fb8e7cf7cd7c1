"""The processes on the robot's side of a run: cell, eyes, picker, mission, gateway."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard.cli.errors import Misuse
from dashboard.cli.host import Host, boot
from dashboard.cli.settings import RunSettings

if TYPE_CHECKING:
    from robot.arms import ArmDescription
    from robot.collision import Box
    from robot.hardware.wiring import Wiring
    from telemetry.farm import Bed, Robot

log = logging.getLogger(__name__)

GUTTER_HEIGHT, GUTTER_DEPTH = 0.12, 0.30
"""Of a table-top gutter [m]."""


def namespace(robot: str) -> str:
    """Return the ROS namespace of a robot; ROS names know no hyphen."""
    return "/" + robot.replace("-", "_")


def blackboxes(settings: RunSettings) -> Path:
    """Return the folder of the control loop's last seconds before each stop."""
    return Path(settings.data) / "robot" / "blackbox"


def gutter(bed: Bed) -> Box:
    """Return a bed's gutter as an obstacle, from where the farm file says it stands."""
    from robot.collision import Box

    x, edge, top = bed.origin
    return Box(
        minimum=(x - 0.2, edge, top - GUTTER_HEIGHT),
        maximum=(x + bed.length + 0.2, edge + GUTTER_DEPTH, top),
    )


def wiring_of(settings: RunSettings) -> Wiring:
    """Return what the wiring file says of the machine that is driven.

    Raises:
        ValueError: it cannot be read, or says something else than was expected.
    """
    from robot.hardware.wiring import read_wiring

    return read_wiring(Path(settings.wiring), settings.hardware, settings.address)


def arm_of(host: Host) -> ArmDescription:
    """Return the arm: of the unit that is driven, else as its drawings have it."""
    from robot.arms import load_arm

    return wiring_of(host.settings).arm if host.settings.hardware else load_arm(host.robot.arm)


def check_dock(robot: Robot, arm: ArmDescription) -> None:
    """Refuse a dock beside the rail before anything is started.

    Raises:
        Misuse: no carriage of this arm gets there.
    """
    low, high = arm.rail.position_min, arm.rail.position_max
    if robot.dock is not None and not low <= robot.dock <= high:
        raise Misuse(f"[[robots]] {robot.id}: dock: expected a place on the rail, {low} to {high} m, got {robot.dock}")


def eyes(settings: RunSettings, name: str, slot: int | None) -> None:
    """Turn frames into berries."""
    import cv2

    from robot.nodes.eyes import EyesNode, EyesSettings
    from vision import detector

    cv2.setNumThreads(1)  # several processes share few cores
    host = Host(settings, name, slot=slot)
    node = EyesNode(
        host.context(),
        host.clock,
        EyesSettings(namespace=namespace(settings.robot)),
        arm_of(host),
        detector(host.robot.eyes, photographs=False),
    )
    host.add(node)
    host.run()


def picker(settings: RunSettings, name: str, slot: int | None) -> None:
    """Pick what a goal asks for."""
    from robot.nodes.picker import PickerNode, PickerSettings

    host = Host(settings, name, slot=slot)
    node = PickerNode(
        host.context(),
        host.clock,
        PickerSettings(
            namespace=namespace(settings.robot),
            robot=settings.robot,
            obstacles=(gutter(host.farm.bed(host.robot.bed)),),
        ),
        arm_of(host),
    )
    host.add(node)
    host.run()


def mission(settings: RunSettings, name: str, slot: int | None) -> None:
    """Work through the orders; the queue is on disk and outlives a crash."""
    from robot.nodes.mission import MissionNode, MissionSettings
    from robot.nodes.mission_care import CareSettings

    host = Host(settings, name, slot=slot)
    robot = host.robot
    folder = Path(settings.data) / "robot"
    folder.mkdir(parents=True, exist_ok=True)
    beds = {bed.id: bed for bed in host.farm.beds if bed.id == host.robot.bed}
    node = MissionNode(
        host.context(),
        host.clock,
        MissionSettings(
            namespace=namespace(settings.robot),
            queue=folder / "orders.sqlite3",
            beds={key: bed.origin[0] for key, bed in beds.items()},
            ends={key: bed.origin[0] + bed.length for key, bed in beds.items()},
            care=CareSettings(
                clean_every=robot.clean_every,
                blade_every=robot.blade_every,
                battery_low=robot.battery_low,
                battery_critical=robot.battery_critical,
                battery_enough=robot.battery_enough,
            ),
            dock=robot.dock,
        ),
        arm_of(host),
    )
    host.add(node)
    host.at_end(node.close)
    host.run()


def gateway(settings: RunSettings, name: str, slot: int | None) -> None:
    """Turn ROS into MQTT and back."""
    import cv2

    from robot.nodes.gateway import GatewayNode, GatewaySettings
    from telemetry.mqtt.device import Address, offline_will

    cv2.setNumThreads(1)  # several processes share few cores
    host = Host(settings, name, slot=slot)
    address = Address(site=host.farm.site.id, zone=host.robot.zone, device=settings.robot)
    client = host.mqtt(f"berrybrain-{settings.robot}", will=offline_will(address, host.clock))
    outbox = host.outbox(address)
    node = GatewayNode(
        host.context(),
        host.clock,
        GatewaySettings(namespace=namespace(settings.robot), address=address, boot=boot()),
        client,
        arm_of(host),
        outbox=outbox,
    )
    host.add(node)
    host.at_end(node.close)
    host.run()
