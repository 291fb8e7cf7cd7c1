"""The door of the house: quick to open, polite when called wrongly."""

from __future__ import annotations

import importlib
import os
import resource
import subprocess
import sys
from pathlib import Path

import click
import pytest

from dashboard.cli import COMMANDS, berrybrain, main

HOUSE = Path(__file__).resolve().parents[2]
HEAVY = (
    "cv2",
    "mujoco",
    "numpy",
    "zmq",
    "paho",
    "ruckig",
    "py_trees",
    "amqtt",
    "influxdb_client",
    "sqlite3",
    "asyncio",
)


def run(code: str, *words: str, folder: Path = HOUSE) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(HOUSE)}
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def exit_of(*words: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(words)
    return stop.value.code if isinstance(stop.value.code, int) else 1


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from dashboard.cli import main\n"
        "try: main(['--help'])\n"
        f"except SystemExit: print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = run(code)
    assert done.stdout.splitlines()[-1] == "HEAVY []", done.stdout + done.stderr


def test_help_answers_quickly() -> None:
    """The house rule is 0.3 s; CPU time is compared, generously, because machines that run tests are busy."""
    took = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run("from dashboard.cli import main; main(['--help'])")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(took) < 1.0, f"berrybrain --help took {took} s of CPU"


def test_help_lists_every_command_that_is_not_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_of("--help") == 0
    out = capsys.readouterr().out
    for name in COMMANDS:
        command = berrybrain.get_command(click.Context(berrybrain), name)
        assert command is not None
        assert (f"  {name} " in out) == (not command.hidden)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_of_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_of(name, "--help") == 0
    assert capsys.readouterr().out.startswith(f"Usage: berrybrain {name}")
    assert importlib.import_module(f"dashboard.cli.{COMMANDS[name]}").command.help


def test_an_unknown_command_is_a_usage_error_without_a_trace(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_of("havrest") == 2
    err = capsys.readouterr().err
    assert "havrest" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("dem",), "berrybrain: No such command 'dem'. Did you mean 'demo'?; berrybrain --help tells more"),
        (("demo", "--seed", "x"), "berrybrain demo: Invalid value for '--seed': 'x' is not a valid integer range;"),
        (("import",), "berrybrain import: Missing argument 'FILE'; berrybrain import --help tells more"),
        (("store", "mend"), "berrybrain store: No such command 'mend'; berrybrain store --help tells more"),
        (("detect", "--detector", "owl", "a.jpg"), "berrybrain: expected a detector of"),
    ],
)
def test_what_was_called_wrongly_is_told_in_one_line(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_of(*words) == 2
    err = capsys.readouterr().err
    assert err.startswith(said)
    assert err.count("\n") == 1


def test_a_group_without_a_command_shows_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_of("store") == 2
    assert "repair" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("store", "repair"), ("store", "seal"), ("store", "status"), ("backup", "b.zip")])
def test_what_looks_after_a_store_makes_none_where_none_is(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_of(*words, "--data", "typo") == 1
    assert "is the data folder right" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("words", "said"), [(("token", "list"), "token add"), (("broker", "list"), "broker setup")])
def test_an_empty_list_says_how_it_is_filled(
    words: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_of(*words, "--data", str(tmp_path)) == 0
    told = capsys.readouterr()
    assert said in told.err
    assert not told.out


def test_a_programming_error_is_one_line_and_names_debug(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object) -> None:
        raise RuntimeError("the tray is upside down")

    monkeypatch.setattr(berrybrain, "invoke", explode)
    assert exit_of("init") == 1
    err = capsys.readouterr().err
    assert "the tray is upside down" in err
    assert "--debug" in err
    assert "Traceback" not in err
    with pytest.raises(RuntimeError):
        main(["--debug", "init"])


def test_init_writes_a_farm_file_that_is_valid_and_does_not_replace_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from telemetry.farm import load_farm

    assert exit_of("init", str(tmp_path)) == 0
    assert load_farm(tmp_path / "farm.toml").beds
    (tmp_path / "farm.toml").write_text("mine")
    assert exit_of("init", str(tmp_path)) == 1
    assert "--force" in capsys.readouterr().err
    assert (tmp_path / "farm.toml").read_text() == "mine"
    assert exit_of("init", "--force", str(tmp_path)) == 0
    assert load_farm(tmp_path / "farm.toml").beds


def test_init_into_a_place_that_cannot_be_written_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert exit_of("init", str(tmp_path / "file" / "farm")) == 1
    assert str(tmp_path / "file" / "farm") in capsys.readouterr().err


def test_small_products_are_left_to_one_thread_unless_a_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    assert exit_of("--version") == 0
    assert os.environ["OPENBLAS_NUM_THREADS"] == "3"
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    assert exit_of("--version") == 0
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"
