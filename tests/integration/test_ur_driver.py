"""The UR driver and the robot command: RTDE over TCP, what the controller refuses, stops, silence, wiring files."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashboard.cli import main
from robot.hardware import HardwareError
from robot.hardware.servo.port import SerialPort
from robot.hardware.ur import rtde, script
from robot.hardware.ur.part import UrPart
from robot.hardware.ur.stream import TcpStream
from robot.hardware.wiring import parse_wiring
from sim.devices.servos import FakeBus, PtyServos
from sim.devices.ur import FakeController, MemoryStream, TcpController

HOUSE = Path(__file__).resolve().parents[2]
HOME = [-1.57, -2.2, 2.2, 0.6, 1.57, 0.0]


class Bench:
    def __init__(self) -> None:
        self.time = 0.0
        self.controller = FakeController(HOME, lambda: self.time)
        self.part = UrPart(
            lambda port: MemoryStream(self.controller, port, self.tick), expiry=0.05, monotonic=lambda: self.time
        )

    def tick(self, ticks: int = 1) -> None:
        self.time += 0.004 * ticks


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_packages_are_those_of_the_guide() -> None:
    # "RTDE Guide": size (uint16), type (uint8), payload; 'V' asks for version 2.
    assert rtde.package(rtde.VERSION, b"\x00\x02") == bytes.fromhex("00 05 56 00 02")
    assert rtde.package(rtde.START) == bytes.fromhex("00 03 53")
    buffer = bytearray(bytes.fromhex("00 04 53 01 00"))
    assert rtde.take(buffer) == (rtde.START, b"\x01")
    assert rtde.take(buffer) is None
    assert len(buffer) == 1


def test_a_stream_out_of_step_is_noticed() -> None:
    with pytest.raises(rtde.RtdeError, match="1 octets"):
        rtde.take(bytearray(b"\x00\x01\x55"))


def test_a_register_that_another_client_writes_is_refused(bench: Bench) -> None:
    bench.controller.refuses_inputs = True
    with pytest.raises(HardwareError, match="IN_USE") as caught:
        bench.part.configure()
    assert caught.value.code == "hardware_lost"


@pytest.mark.parametrize(
    ("bits", "code"), [(0b101, "protective_stop"), (0b10001, "protective_stop"), (0b1000001, "estop_input")]
)
def test_stops_of_the_arms_own_safety_system_are_told(bench: Bench, bits: int, code: str) -> None:
    bench.part.configure()
    bench.part.activate()
    assert bench.part.read().faults == ()
    bench.controller.safety_bits = bits
    bench.tick()
    assert bench.part.read().faults == (code,)
    with pytest.raises(HardwareError) as caught:
        bench.part.activate()
    assert caught.value.code == code


def test_an_arm_without_power_is_not_activated(bench: Bench) -> None:
    bench.controller.mode = 3
    bench.part.configure()
    with pytest.raises(HardwareError, match="pendant"):
        bench.part.activate()


def test_a_program_that_somebody_stopped_is_a_fault(bench: Bench) -> None:
    bench.part.configure()
    bench.part.activate()
    bench.controller.program = ""
    bench.tick()
    assert bench.part.read().faults == ("hardware_fault",)
    assert bench.part.read().faults == (), "told once, or nobody could answer it"
    bench.part.activate()
    bench.tick()
    assert bench.part.read().faults == ()


def test_a_silent_controller_is_lost(bench: Bench) -> None:
    bench.part.configure()
    bench.controller.silent = True
    bench.tick(30)
    with pytest.raises(HardwareError, match="silent"):
        bench.part.read()


def test_a_set_point_counts_once_and_not_after_its_time(bench: Bench) -> None:
    bench.part.configure()
    bench.part.activate()
    bench.part.write(np.array(HOME) + 0.05, np.zeros(6), 1e9, None)
    bench.tick(5)
    bench.part.read()
    bench.controller.registers["input_double_register_24"] = HOME[0] + 0.5  # without a new number it must not count
    bench.tick(9)
    assert bench.part.read().position[0] - HOME[0] < 0.051
    rest = bench.part.read().position.copy()
    bench.controller._goal = [q + 0.5 for q in HOME]  # what it followed has expired: it stands
    bench.tick(50)
    assert np.abs(bench.part.read().position - rest).max() < 1e-3


def test_the_program_is_balanced_and_names_the_registers_that_are_sent() -> None:
    text = script.program(expiry=0.05)
    opened = re.findall(r"^\s*(def|while|if)\b", text, re.MULTILINE)
    assert len(opened) == len(re.findall(r"^\s*end$", text, re.MULTILINE))
    assert all(f"read_input_float_register({i})" in text for i in range(24, 30))
    assert text.index("stopj") < text.index("servoj")
    assert "quiet > 0.050" in text


def test_it_works_over_tcp() -> None:
    controller = FakeController(HOME, time.monotonic)
    with TcpController(controller) as server:
        ports = {rtde.PORT: server.ports["rtde"], 30002: server.ports["script"]}
        part = UrPart(
            lambda port: TcpStream("127.0.0.1", ports[port], timeout=20.0), expiry=20.0, monotonic=time.monotonic
        )
        part.configure()
        part.activate()
        part.write(np.array(HOME) + 0.1, np.zeros(6), 1e9, None)
        deadline = time.monotonic() + 20.0
        while time.monotonic() < deadline:
            try:
                position = part.read().position
            except HardwareError as error:  # a loaded machine may keep the controller's thread waiting
                assert "silent" in error.detail
                continue
            if np.abs(position - HOME - 0.1).max() < 1e-3:
                break
        assert np.abs(position - HOME - 0.1).max() < 1e-3
        part.deactivate()
        part.shutdown()


def test_a_controller_that_is_not_there_says_what_to_look_at() -> None:
    with pytest.raises(HardwareError, match="is it on"):
        TcpStream("127.0.0.1", 1, timeout=0.5)


def example() -> str:
    text = (HOUSE / "robot" / "hardware" / "README.md").read_text(encoding="utf-8")
    found = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found.group(1)


@pytest.mark.parametrize("protocol", ["feetech", "dynamixel"])
def test_the_command_tells_what_the_servos_of_the_readme_measure(
    protocol: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("serial", reason="pip install 'berrybrain[servo]'")
    monkeypatch.setattr(SerialPort.__init__, "__defaults__", (20.0,))  # a loaded machine keeps the bus's thread waiting
    bus = FakeBus(protocol, dict.fromkeys(range(1, 6), 2048.0) | {6: 1600.0, 7: 1000.0}, lambda: 0.0)
    bus.servos[1].position = 2048.0 - 651.9
    file = tmp_path / "machine.toml"
    with PtyServos(bus) as line:
        text = example().replace("/dev/ttyUSB0", line.name).replace('protocol = "feetech"', f'protocol = "{protocol}"')
        file.write_text(text)
        with pytest.raises(SystemExit) as ended:
            main(["robot", "--hardware", protocol, "--wiring", str(file), "--check", "--samples", "5", "--json"])
    assert ended.value.code == 0
    found = json.loads(capsys.readouterr().out)
    assert found["joints"]["shoulder_pan"] == pytest.approx(1.0, abs=2e-3)
    assert found["joints"]["rail_joint"] == 0.0
    assert found["opening"] == pytest.approx(0.03, abs=1e-4)
    assert found["faults"] == []


def test_the_command_says_in_one_line_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("serial", reason="pip install 'berrybrain[servo]'")
    file = tmp_path / "machine.toml"
    file.write_text(example().replace("ttyUSB0", "ttyNOBODY"))
    with pytest.raises(SystemExit) as ended:
        main(["robot", "--hardware", "feetech", "--wiring", str(file), "--check"])
    assert ended.value.code == 1
    assert "/dev/ttyNOBODY cannot be opened" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rail": {}}, "missing key 'servo'"),
        ({"bus": {"protocol": "can", "device": "x", "baud": 1}}, "feetech or dynamixel"),
        ({"extra": 1}, "unknown key 'extra'"),
        ({"arm": "so100"}, "expected an arm out of"),
    ],
)
def test_a_wrong_wiring_file_names_the_key(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    import tomllib

    with pytest.raises(ValueError, match=message):
        parse_wiring(tomllib.loads(example()) | change, "feetech", tmp_path / "machine.toml")
