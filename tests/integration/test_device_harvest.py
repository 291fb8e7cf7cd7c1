"""A picking order on stand-in devices that speak the makers' octets: real drivers, loop and nodes in lock-step."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from robot.arms import load_arm
from robot.hardware.wiring import bolted_down
from robot.nodes.convert import LATCHED, RELIABLE, to_time
from robot.ros.context import Context
from robot.ros.interfaces import berry_msgs, std_msgs, std_srvs
from robot.ros.node import Node
from robot.ros.transport.inprocess import InProcess
from sim.devices.stand import NAP, Stand
from sim.devices.xarm import FakeXArm
from sim.fast.hardware import parked
from sim.fast.harvest import FastHarvest, FastSettings
from sim.fast.rig import FastRig, FastRigSettings
from sim.fast.row import Row, Where
from sim.lockstep import Lockstep
from sim.scene.settings import Mix, SceneSettings

SCENE = SceneSettings(length=0.6, mix=Mix(isolated=2, unripe=1))
SEED = 3


CPU_S = 120.0
"""Of computing, after which a harvest of a few seconds' computing is taken to go round in circles; not of the wall's
time: a busy machine is slow and no fault."""


class DeviceTime:
    """The scheduler's time, and what drivers spend waiting for an answer."""

    def __init__(self, time: Lockstep) -> None:
        self._time, self._slept = time, 0.0

    def now(self) -> float:
        return self._time.now()

    def monotonic(self) -> float:
        return self._time.monotonic() + self._slept

    def nap(self) -> None:
        self._slept += NAP


class Place:
    """A robot on stand-in devices, an order, and somebody at the machine."""

    def __init__(self, kind: str) -> None:
        if kind == "xarm" and importlib.util.find_spec("xarm") is None:  # importing it makes a folder in the home
            pytest.skip("pip install 'berrybrain[xarm]'")
        self.time = Lockstep(epoch=1779256800.0)
        scene = replace(SCENE, arm="lite6" if kind == "xarm" else SCENE.arm)
        clock, arm = DeviceTime(self.time), load_arm(scene.arm)
        self.row = Row(scene, SEED)
        self.stand = Stand(arm, kind, parked(arm), clock.monotonic, self.row)
        assert self.stand.hands is not None
        context = Context(InProcess(self.time))
        self.rig = FastRig(
            self.time,
            context,
            FastRigSettings(scene=scene, local_reset=True),
            arm=arm,
            row=self.row,
            hardware=self.stand.machine(clock.monotonic, clock.nap),
            joints=self.stand.joints,
            clock=clock,
            moved=self.stand.hands.update,
        )
        person = self.person = Node("person", context=context, namespace="/robot")
        self._begun = time.process_time()
        self.safety: Any = None
        self.picks: list[Any] = []
        self.orders: list[Any] = []
        person.create_subscription(berry_msgs.msg.SafetyState, "safety/state", self._on_safety, LATCHED)
        person.create_subscription(berry_msgs.msg.PickOutcome, "picks", self.picks.append, RELIABLE)
        person.create_subscription(berry_msgs.msg.OrderStatus, "orders/status", self.orders.append, RELIABLE)
        self._button = person.create_publisher(std_msgs.msg.Bool, "safety/reset_button", RELIABLE)

    def _on_safety(self, message: Any) -> None:
        self.safety = message

    def until(self, true: Callable[[], bool], seconds: float) -> None:
        def over() -> bool:
            used = time.process_time() - self._begun
            assert used < CPU_S, f"{used:.0f} s of computing, at {self.time.monotonic():.2f} s: {self.safety}"
            return true()

        self.time.run(until=over, seconds=seconds)
        assert true(), f"not within {seconds} s: {self.safety}"

    def order(self) -> None:
        request = berry_msgs.srv.SubmitOrder.Request(
            id="order-1",
            issuer="person",
            expires_at=to_time(self.time.now() + 3600.0),
            bed="bed-1",
            side="a",
            segments=[0],
            segment_length=SCENE.length,
            ripeness_min=0.8,
            ripeness_max=1.0,
            speed=1.0,
            force=1.0,
        )
        self.person.create_client(berry_msgs.srv.SubmitOrder, "orders/submit").call_async(request)

    def ask(self, name: str) -> Any:
        answer = self.person.create_client(std_srvs.srv.Trigger, name).call_async(std_srvs.srv.Trigger.Request())
        self.until(answer.done, 2.0)
        return answer.result()

    def press(self) -> None:
        """Press the reset button at the machine."""
        for level in (False, True):
            self._button.publish(std_msgs.msg.Bool(data=level))
            self.time.run(seconds=0.2)

    def goes_on(self) -> None:
        """Press, start, and see the order through to its end."""
        at = self.stand.joints()
        self.press()
        assert self.safety.state == "READY"
        assert abs(self.stand.joints() - at).max() < 2e-3, "a reset moves nothing"
        assert self.ask("safety/start").success
        self.until(lambda: bool(self.orders) and self.orders[-1].status in ("done", "failed"), 60.0)
        assert (self.orders[-1].status, self.orders[-1].picked, self.orders[-1].placed) == ("done", 2, 2)
        assert self.row.count(Where.PLACED) == 2


@pytest.mark.parametrize("kind", ["ur", "xarm", "feetech"])
def test_a_harvest_outlives_a_pulled_cable_and_counts_on(kind: str) -> None:
    place = Place(kind)
    place.order()
    place.until(lambda: len(place.picks) == 1, 30.0)
    place.stand.unplug()
    place.until(lambda: place.safety.state == "FAULT", 1.0)
    assert list(place.safety.causes) == ["hardware_lost"]
    at = place.stand.joints()
    place.press()
    assert place.safety.state == "FAULT", "nobody resets what is still unplugged"
    place.stand.unplug(plugged=True)
    place.time.run(seconds=3.0)
    assert not place.ask("safety/reset").success, "only the button at the machine resets"
    assert abs(place.stand.joints() - at).max() < 2e-3
    place.goes_on()
    place.rig.close()


@pytest.mark.parametrize("kind", ["ur", "xarm"])
def test_a_stop_of_the_arms_own_controller_is_answered_at_the_machine(kind: str) -> None:
    place = Place(kind)
    place.order()
    place.until(lambda: len(place.picks) == 1, 30.0)
    place.until(lambda: place.rig.loop.moving, 5.0)
    controller = place.stand.controller
    if isinstance(controller, FakeXArm):
        controller.fail(31)  # a collision; the driver clears it once nothing drives the arm
    else:
        assert controller is not None
        controller.safety_bits = 0b100  # a protective stop, until somebody unlocks it at the pendant
    place.until(lambda: "protective_stop" in place.safety.causes, 1.0)
    assert not place.safety.motion_allowed
    at = place.stand.joints()
    place.press()
    assert place.safety.state != "READY", "nobody resets what still lasts"
    place.time.run(seconds=2.0)
    if not isinstance(controller, FakeXArm):
        controller.safety_bits = 1
        place.time.run(seconds=0.5)
    assert abs(place.stand.joints()[1:] - at[1:]).max() < 2e-3
    place.goes_on()
    place.rig.close()


def test_an_arm_that_is_bolted_down_picks_what_it_reaches(monkeypatch: pytest.MonkeyPatch) -> None:
    at = 0.1
    arm = bolted_down(load_arm("ur3e"), at)
    monkeypatch.setattr("sim.fast.harvest.load_arm", lambda _: arm)
    scene = SceneSettings(length=0.3, mix=Mix(isolated=2))
    home = float(arm.rail.base[0]) + at + arm.posture.ahead
    harvest = FastHarvest(FastSettings(scene=scene, limit=60.0), SEED, [], home=home)
    ended = harvest.run()
    assert (ended.counted, ended.placed, ended.stops) == (2, 2, ())
    assert abs(float(harvest.machine.q[0]) - at) < 2e-3
