"""The xArm driver: the maker's SDK and its frames, what its controller stops for, the SDK itself on the stand-in."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashboard.cli import main
from robot.hardware import HardwareError
from robot.hardware.servo.port import SerialPort
from robot.hardware.ur.stream import TcpStream
from robot.hardware.wiring import parse_wiring
from robot.hardware.xarm.part import XArmPart
from robot.hardware.xarm.sdk import ANSWER, FramePort, take
from sim.devices.servos import FakeBus, PtyServos
from sim.devices.xarm import FakeXArm, MemoryXArm, TcpXArm

if importlib.util.find_spec("xarm") is None:  # importing it makes a folder in the home folder
    pytest.skip("pip install 'berrybrain[xarm]'", allow_module_level=True)

HOUSE = Path(__file__).resolve().parents[2]
HOME = [0.87, 0.28, -0.74, 2.39, 1.23, -1.26]


class Recorded(MemoryXArm):
    """Notes the octets of every frame that is sent."""

    def __init__(self, controller: FakeXArm, nap: Callable[[], None], frames: list[str]) -> None:
        super().__init__(controller, nap)
        self._frames = frames

    def send(self, data: bytes) -> None:
        self._frames.append(data[6:].hex(" "))
        assert data[2:6] == bytes([0, 2, 0, len(data) - 6]), "protocol 2, then the length"
        super().send(data)


class Bench:
    def __init__(self, **told: Any) -> None:
        self.time = 0.0
        self.frames: list[str] = []
        self.controller = FakeXArm(HOME, lambda: self.time, **told)
        self.part = XArmPart(
            lambda: Recorded(self.controller, self.tick, self.frames),
            lite=False,
            monotonic=lambda: self.time,
            nap=self.tick,
        )

    def tick(self, ticks: int = 1) -> None:
        self.time += 0.008 * ticks

    def begin(self) -> Bench:
        self.part.configure()
        self.part.activate()
        assert self.part.read().faults == ()
        return self

    def go(self, *steps: float) -> None:
        for step in steps:
            self.part.write(np.array(HOME) + step, np.zeros(6), self.time + 0.1, None)
            self.tick()


def test_servo_mode_begins_with_the_frames_of_the_makers_manual() -> None:
    bench = Bench()
    bench.part.configure()
    bench.frames.clear()
    bench.part.activate()
    # clean error, clean warning, get error; enable all joints, mode 1, state 0; get error
    assert bench.frames == ["10", "11", "0f", "0b 08 01", "13 01", "0c 00", "0f"]
    bench.frames.clear()
    bench.part.write(np.array([1.0, 0, 0, 0, 0, -2.0]), np.zeros(6), 1.0, None)
    numbers = "00 00 80 3f" + " 00 00 00 00" * 4 + " 00 00 00 c0" + " 00 00 00 00" * 4
    assert bench.frames == [f"1d {numbers}"], "seven joints, speed, acceleration, time as little-endian floats"


def test_a_stream_out_of_step_is_noticed() -> None:
    with pytest.raises(OSError, match="0 octets"):
        take(bytearray(8))


def test_a_collision_stops_it_until_somebody_has_answered_and_activated_it_again() -> None:
    bench = Bench().begin()
    bench.go(0.02)
    bench.controller.fail(31)
    assert bench.part.read().faults == ("protective_stop",)
    rest = bench.part.read().position
    bench.go(0.04, 0.04, 0.04)
    assert np.allclose(bench.part.read().position, rest, atol=1e-6), "no set point gets through"
    bench.tick(150)
    assert bench.part.read().faults == (), "the error is cleared at the controller, which moves nothing"
    assert bench.part.read().faults == ("hardware_fault",), "once: what drives it has to be started anew"
    assert bench.part.read().faults == ()
    bench.go(0.04, 0.04, 0.04)
    assert np.allclose(bench.part.read().position, rest, atol=1e-6)
    bench.part.activate()
    bench.go(*[0.03] * 20)
    assert np.allclose(bench.part.read().position, np.array(HOME) + 0.03, atol=1e-3)


def test_the_hard_wired_stop_lasts_as_long_as_it_is_pressed() -> None:
    bench = Bench().begin()
    bench.controller.estop = True
    assert bench.part.read().faults == ("estop_input",)
    bench.part.deactivate()
    for _ in range(5):
        bench.tick(130)
        assert bench.part.read().faults == ("estop_input",)
    with pytest.raises(HardwareError, match="C2") as caught:
        bench.part.activate()
    assert caught.value.code == "estop_input"
    bench.controller.estop = False
    bench.tick(130)
    bench.part.read()
    assert bench.part.read().faults == ()
    bench.part.activate()
    bench.go(*[0.03] * 20)
    assert np.allclose(bench.part.read().position, np.array(HOME) + 0.03, atol=1e-3)


@pytest.mark.parametrize(
    ("error", "code"), [(1, "estop_input"), (22, "protective_stop"), (35, "protective_stop"), (11, "hardware_fault")]
)
def test_errors_of_the_controller_are_told(error: int, code: str) -> None:
    bench = Bench().begin()
    bench.controller.fail(error)
    assert bench.part.read().faults == (code,)


@pytest.mark.parametrize(("step", "error"), [(0.5, 24), (0.05, 23)])
def test_a_set_point_that_is_too_far_is_a_stop_of_the_controller(step: float, error: int) -> None:
    limits = tuple((q - 1.0, q + (0.04 if error == 23 else 1.0)) for q in HOME)
    bench = Bench(limits=limits).begin()
    bench.go(step)
    assert bench.controller.error == error
    assert bench.part.read().faults == ("protective_stop",)


def test_an_arm_that_somebody_else_stopped_is_a_fault() -> None:
    bench = Bench().begin()
    bench.controller.state = 4
    assert bench.part.read().faults == ("hardware_fault",)


def test_a_silent_controller_is_lost() -> None:
    bench = Bench().begin()
    bench.controller.silent = True
    with pytest.raises(HardwareError) as caught:
        bench.part.read()
    assert caught.value.code == "hardware_lost"


class Bad(MemoryXArm):
    """Spoils what the controller answers."""

    def __init__(self, controller: FakeXArm, nap: Callable[[], None], spoil: list[Callable[[bytes], bytes]]) -> None:
        super().__init__(controller, nap)
        self._spoil = spoil

    def receive(self, *, wait: bool) -> bytes:
        data = super().receive(wait=wait)
        return self._spoil[0](data) if self._spoil else data


def spoiled() -> tuple[Bench, list[Callable[[bytes], bytes]]]:
    bench = Bench()
    spoil: list[Callable[[bytes], bytes]] = []
    bench.part = XArmPart(
        lambda: Bad(bench.controller, bench.tick, spoil), lite=False, monotonic=lambda: bench.time, nap=bench.tick
    )
    return bench.begin(), spoil


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"\xff" * len(data),
        lambda data: bytes(len(data)),
        lambda data: data[:4] + b"\0\1" + data[6:7],  # a register and nothing else
        lambda data: data[:4] + b"\0\2" + data[6:8],  # no joints
        lambda data: data[:4] + b"\0\5" + data[6:11],
        lambda data: data[:2] + b"\0\7" + data[4:],  # another protocol
        lambda data: data[:6] + b"\x63" + data[7:],  # of another register
        lambda data: b"\x7a\x7a" + data[2:],  # to another question
        lambda data: data[: len(data) // 2],
    ],
    ids=["ones", "zeros", "register", "bare", "short", "protocol", "other", "number", "half"],
)
def test_what_is_no_answer_is_a_lost_arm_and_a_new_connection_heals_it(spoil: Callable[[bytes], bytes]) -> None:
    bench, at = spoiled()
    at.append(spoil)
    with pytest.raises(HardwareError) as caught:
        bench.part.read()
    assert caught.value.code == "hardware_lost"
    at.clear()
    bench.part.reconnect()
    bench.part.activate()
    assert np.allclose(bench.part.read().position, HOME)


def test_octets_that_come_one_by_one_do_not_keep_the_loop_waiting() -> None:
    class Drop:
        """Sends one octet of a long frame each 5 ms."""

        def __init__(self) -> None:
            self.time, self.sent = 0.0, iter(bytes([0, 1, 0, 2, 1, 0]) + bytes(256))

        def send(self, data: bytes) -> None: ...

        def receive(self, *, wait: bool) -> bytes:
            self.time += 0.005
            return bytes([next(self.sent)])

        def close(self) -> None: ...

    line = Drop()
    port = FramePort(line, lambda: line.time)
    port.write(b"")
    with pytest.raises(TimeoutError, match="no answer within"):
        port.read()
    assert line.time < ANSWER + 0.02


def test_an_answer_that_is_there_counts_however_late_this_process_comes_to_look() -> None:
    bench = Bench().begin()
    late: list[float] = [0.0]
    line = MemoryXArm(bench.controller, bench.tick)
    port = FramePort(line, lambda: bench.time + late[0])
    port.write(bytes.fromhex("0001000200012a"))
    late[0] = 5.0  # others kept it from running
    assert port.read()[:4] == bytes.fromhex("00010002")
    with pytest.raises(TimeoutError):
        port.read()


def test_an_error_is_still_cleared_after_a_connection_that_came_back_at_the_second_try() -> None:
    bench = Bench().begin()
    bench.controller.fail(31)
    bench.controller.unplugged = True
    for _ in range(2):
        with pytest.raises(HardwareError):
            bench.part.reconnect()
    bench.controller.unplugged = False
    bench.part.reconnect()
    assert bench.part.read().faults == ("protective_stop",)
    bench.tick(150)
    bench.part.read()
    assert bench.part.read().faults == ()


def test_an_error_without_a_number_is_a_fault_and_lets_no_set_point_through() -> None:
    bench = Bench().begin()

    class Unnamed(FakeXArm):
        def _answer(self, register: int, data: bytes) -> tuple[int, bytes]:
            bits, answer = super()._answer(register, data)
            return bits, bytes(2) if register == 15 else answer

    bench.controller.__class__ = Unnamed
    bench.controller.fail(31)
    assert bench.part.read().faults == ("hardware_fault",)
    bench.frames.clear()
    bench.go(0.01)
    assert bench.frames == []


def test_a_controller_outlives_clients_that_send_rubbish() -> None:
    with TcpXArm(FakeXArm(HOME, time.monotonic)) as server:
        for rubbish in (bytes(64), b"\xff" * 64, bytes([0, 1, 0, 2, 0, 1, 11]), bytes([0, 1, 0, 2, 0, 2, 29, 0])):
            with socket.create_connection(("127.0.0.1", server.ports["command"]), timeout=20.0) as client:
                client.sendall(rubbish)
                assert client.recv(64) == b""
        stream = TcpStream("127.0.0.1", server.ports["command"], timeout=20.0)
        stream.send(bytes([0, 1, 0, 2, 0, 1, 15]))
        assert stream.receive(wait=True)[6] == 15
        stream.close()


@pytest.mark.parametrize(
    ("told", "words"), [({"kind": 9}, "expected a xarm6 .* got a lite6"), ({"firmware": "1.8.4"}, "1.9.0 is needed")]
)
def test_another_arm_or_an_old_firmware_is_refused(told: dict[str, Any], words: str) -> None:
    with pytest.raises(HardwareError, match=words) as caught:
        Bench(**told).part.configure()
    assert caught.value.code == "hardware_not_configured"


def test_it_works_over_tcp() -> None:
    controller = FakeXArm(HOME, time.monotonic)
    with TcpXArm(controller) as server:
        part = XArmPart(
            lambda: TcpStream("127.0.0.1", server.ports["command"], timeout=20.0),
            lite=False,
            monotonic=time.monotonic,
            nap=lambda: None,
        )
        part.configure()
        part._client.set_timeout(20.0)  # a loaded machine may keep the controller's thread waiting
        part.activate()
        part.write(np.array(HOME) + 0.05, np.zeros(6), 1e9, None)
        deadline = time.monotonic() + 20.0
        while np.abs(part.read().position - HOME - 0.05).max() > 1e-3:
            assert time.monotonic() < deadline
        part.deactivate()
        assert not controller.enabled
        part.shutdown()


CLIENT = """
import sys, time
from xarm.core.config.x_config import XCONF
from xarm.wrapper import XArmAPI
from xarm.x3 import base

socket_port = base.SocketPort
XCONF.SocketConf.TCP_CONTROL_PORT, report = map(int, sys.argv[1:3])
base.SocketPort = lambda to, port, *words, **told: socket_port(to, report if port == 30003 else port, *words, **told)
home, there = ([float(q) + step for q in sys.argv[3:]] for step in (0.0, 0.05))
arm = XArmAPI("127.0.0.1", is_radian=True, report_type="real", forbid_uds=True)
arm.set_timeout(20.0)
assert (arm.axis, arm.version_number) == (6, (2, 3, 0))
assert arm.get_err_warn_code() == (0, [0, 0])
assert [arm.motion_enable(enable=True), arm.set_mode(1), arm.set_state(0)] == [0, 0, 0]
assert arm.set_servo_angle_j(there) == 0
deadline = time.monotonic() + 60.0
while max(abs(told - q) for told, q in zip(arm.angles, there)) > 1e-3:  # of the reports
    assert time.monotonic() < deadline, arm.angles
    time.sleep(0.01)
code, (position, velocity, _) = arm.get_joint_states(is_radian=True)
assert code == 0 and max(abs(told - q) for told, q in zip(position, there)) < 2e-3 and max(map(abs, velocity)) < 0.1
arm.set_servo_angle_j([q + 0.3 for q in home])
assert arm.get_err_warn_code()[1][0] == 24
assert arm.clean_error() == 0
assert arm.get_err_warn_code()[1][0] == 0
arm.disconnect()
"""


def test_the_makers_own_client_drives_the_stand_in(tmp_path: Path) -> None:
    with TcpXArm(FakeXArm(HOME, time.monotonic)) as server:  # by itself: the client changes what all sockets wait for
        told = [str(number) for number in (server.ports["command"], server.ports["report"], *HOME)]
        words = [sys.executable, "-c", CLIENT, *told]
        done = subprocess.run(
            words, env=os.environ | {"HOME": str(tmp_path)}, capture_output=True, timeout=180, check=False
        )
    assert done.returncode == 0, done.stderr.decode()


def example(kind: str) -> str:
    text = (HOUSE / "robot" / "hardware" / "README.md").read_text(encoding="utf-8")
    found = [block for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL) if f"[{kind}]" in block]
    return str(found[0])


def test_the_command_tells_what_the_arm_of_the_readme_measures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("serial", reason="pip install 'berrybrain[servo]'")
    monkeypatch.setattr(SerialPort.__init__, "__defaults__", (20.0,))  # a loaded machine keeps the bus's thread waiting
    monkeypatch.setattr("robot.hardware.wiring.ANSWER", 20.0)
    monkeypatch.setattr("robot.hardware.xarm.sdk.ANSWER", 20.0)
    bus = FakeBus("feetech", {6: 1600.0, 7: 1000.0}, lambda: 0.0)
    file = tmp_path / "machine.toml"
    with PtyServos(bus) as line, TcpXArm(FakeXArm(HOME, time.monotonic, kind=9)) as server:
        text = example("xarm").replace("/dev/ttyUSB0", line.name)
        file.write_text(text.replace("port = 502", f"port = {server.ports['command']}"))
        with pytest.raises(SystemExit) as ended:
            words = ["--hardware", "xarm:127.0.0.1", "--wiring", str(file), "--check", "--samples", "5", "--json"]
            main(["robot", *words])
    assert ended.value.code == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["joints"].values()) == pytest.approx([0.0, *HOME], abs=1e-4)
    assert (found["hardware"], found["faults"]) == ("xarm", [])


def test_the_sdk_neither_greets_among_what_a_command_prints_nor_litters_the_home_folder(tmp_path: Path) -> None:
    words = "from robot.hardware.xarm.sdk import commands; commands(None)"
    done = subprocess.run(
        [sys.executable, "-c", words],
        cwd=HOUSE,
        env=os.environ | {"HOME": str(tmp_path)},
        capture_output=True,
        timeout=120,
        check=True,
    )
    assert (done.stdout, list(tmp_path.iterdir())) == (b"", [])


def test_another_makers_arm_is_refused_at_the_wiring_file(tmp_path: Path) -> None:
    import tomllib

    values = tomllib.loads(example("xarm")) | {"arm": "ur3e"}
    with pytest.raises(ValueError, match=r"xarm6.*lite6.*ur3e"):
        parse_wiring(values, "xarm", tmp_path / "machine.toml")
