"""A driver that is not ours: the wiring file names its class, and `berrybrain robot` opens it like any other."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from dashboard.cli import main, robot
from robot.arms import load_arm
from robot.hardware.fake import FakeHardware
from robot.hardware.wiring import KINDS, connect, read_wiring

OUTSIDER = """
from robot.hardware.fake import FakeHardware

class GreenArm(FakeHardware):
    def __init__(self, arm, monotonic, *, port, address="none"):
        super().__init__(arm, monotonic)
        self.port, self.address = port, address

class TooFew:
    capabilities = None
    def __init__(self, arm, monotonic): ...

class OtherJoints:
    def __new__(cls, arm, monotonic):
        from robot.arms import load_arm
        return FakeHardware(load_arm("xarm6"), monotonic)

class NoCapabilities(FakeHardware):
    capabilities = None

class Unplugged:
    def __init__(self, arm, monotonic):
        open("/nowhere/green")

number = 3
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with an outsider's module, which Python finds."""
    (tmp_path / "greenbot_for_test.py").write_text(OUTSIDER, encoding="utf-8")
    (tmp_path / "greenbot_typo_for_test.py").write_text("def (", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def wiring(folder: Path, place: str, more: str = 'port = "/dev/green"') -> Path:
    file = folder / "machine.toml"
    file.write_text(f'arm = "ur3e"\n[driver]\nclass = "{place}"\n{more}\n', encoding="utf-8")
    return file


def test_the_class_gets_the_arm_the_clock_and_its_own_keys(folder: Path) -> None:
    machine = connect(read_wiring(wiring(folder, "greenbot_for_test:GreenArm"), "own", "10.0.0.7"), time.monotonic)
    assert isinstance(machine, FakeHardware)
    assert (machine.port, machine.address) == ("/dev/green", "10.0.0.7")  # type: ignore[attr-defined]
    assert machine.capabilities.joint_names == load_arm("ur3e").joint_names


def test_a_base_that_is_bolted_down_does_not_move_with_a_driver_of_its_own_either(folder: Path) -> None:
    read = read_wiring(wiring(folder, "greenbot_for_test:GreenArm", 'port = "x"\n[rail]\nfixed = 0.3'), "own")
    assert read.arm.rail.position_min == pytest.approx(0.3, abs=2e-3)


def test_the_command_looks_at_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = wiring(folder, "greenbot_for_test:GreenArm")
    with pytest.raises(SystemExit) as ended:
        main(["robot", "--hardware", "own", "--wiring", str(file), "--check", "--samples", "3", "--json"])
    assert ended.value.code == 0
    assert set(json.loads(capsys.readouterr().out)["joints"]) == set(load_arm("ur3e").joint_names)


@pytest.mark.parametrize(
    ("place", "more", "message"),
    [
        ("greenbot_for_test", "", "package.module:Class"),
        (".greenbot_for_test:GreenArm", "", "package.module:Class"),
        ("greenbot_typo_for_test:GreenArm", "", "greenbot_typo_for_test.py, line 1"),
        ("builtins:dict", "", "no signature found"),
        ("greenbot_nowhere:GreenArm", "", "a module that this Python finds"),
        ("greenbot_for_test:GreenArms", "", "did you mean GreenArm?"),
        ("greenbot_for_test:number", "", "expected a class"),
        ("greenbot_for_test:GreenArm", 'speed = 3\nport = "x"', "speed"),
        ("greenbot_for_test:GreenArm", "", "port"),
        ("greenbot_for_test:TooFew", "", "one without activate, configure"),
        ("greenbot_for_test:NoCapabilities", "", "got NoneType"),
        ("greenbot_for_test:OtherJoints", "", "expected a driver of"),
    ],
)
def test_what_is_no_driver_is_refused_in_one_line_that_names_the_key(
    place: str, more: str, message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["robot", "--hardware", "own", "--wiring", str(wiring(folder, place, more)), "--check"])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "machine.toml: driver.class: " in said
    assert message in said
    assert len(said.splitlines()) == 1


def test_a_class_that_finds_no_device_is_a_machine_that_does_not_answer(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = wiring(folder, "greenbot_for_test:Unplugged", "")
    with pytest.raises(SystemExit) as ended:
        main(["robot", "--hardware", "own", "--wiring", str(file), "--check"])
    assert ended.value.code == 1
    assert "hardware_lost: greenbot_for_test:Unplugged: [Errno 2]" in capsys.readouterr().err


@pytest.mark.parametrize("check", [["--check"], []])
def test_a_wrong_wiring_file_is_a_wrong_call_with_and_without_a_look(
    check: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data", str(folder / "data")]
    for file in (wiring(folder, "greenbot_for_test:GreenArms"), folder / "missing.toml"):
        with pytest.raises(SystemExit) as ended:
            main(["robot", "--hardware", "own", "--wiring", str(file), *data, *check])
        assert ended.value.code == 2
        assert file.name in capsys.readouterr().err


def test_the_command_knows_the_kinds_that_a_wiring_file_can_be_of() -> None:
    assert sorted(robot.KINDS) == sorted(KINDS)
