"""The wiring file of the stand-in devices, and that of a real machine beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from robot.arms import load_arm
from robot.hardware.wiring import read_wiring
from sim.devices.__main__ import is_ours, main, wiring
from sim.devices.stand import Stand
from sim.fast.hardware import parked
from sim.fast.row import Row
from sim.scene.settings import Mix, SceneSettings


def test_the_wiring_of_a_machine_is_never_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "machine.toml"
    file.write_text('arm = "ur3e"  # zeros measured on Tuesday\n', encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["--wiring", str(file)])
    assert ended.value.code == 2 and "name another file with --wiring" in capsys.readouterr().err
    assert "Tuesday" in file.read_text(encoding="utf-8")


def test_what_the_stand_ins_wrote_is_read_as_wiring_and_may_be_written_again(tmp_path: Path) -> None:
    file = tmp_path / "machine.toml"
    assert is_ours(file)
    arm = load_arm("ur3e")
    row = Row(SceneSettings(length=0.6, mix=Mix(isolated=1, unripe=0)), 3)
    stand = Stand(arm, "feetech", parked(arm), lambda: 0.0, row)
    file.write_text(wiring(stand, "/dev/pts/9", {}), encoding="utf-8")
    assert is_ours(file)
    assert read_wiring(file, "feetech").device == "/dev/pts/9"
