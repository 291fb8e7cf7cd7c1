"""`berrybrain dashboard`: serves a farm's pages over a real broker; the first password is shown once."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dashboard.auth import Accounts
from dashboard.cli import main
from telemetry.mqtt.broker import Broker, start_broker
from telemetry.store.embedded import open_store

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

HOUSE = Path(__file__).resolve().parents[2]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    running = start_broker(tmp_path / "broker", 0)
    yield running
    running.close()


@contextmanager
def served(data: Path, broker: Broker) -> Iterator[tuple[str, list[str], subprocess.Popen[str]]]:
    """Run the command and give its address and what it said until then."""
    code = "import sys; from dashboard.cli import main; main(sys.argv[1:])"
    words = ["dashboard", "--data", str(data), "--port", "0", "--mqtt", f"127.0.0.1:{broker.port}"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words], cwd=HOUSE, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        for line in process.stdout:
            said.append(line.strip())
            if line.startswith("http://"):
                break
        yield said[-1], said[:-1], process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20.0)


def ask(address: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any, str]:
    request = urllib.request.Request(address + path, None if body is None else json.dumps(body).encode())
    request.add_header("content-type", "application/json")
    request.add_header("cookie", f"bb_session={key}")
    try:
        with urllib.request.urlopen(request, timeout=20.0) as answer:
            return answer.status, json.load(answer), str(answer.headers.get("set-cookie", ""))
    except urllib.error.HTTPError as error:
        return error.code, json.load(error), ""


def test_the_first_start_shows_a_password_once_and_keeps_only_its_hash(tmp_path: Path, broker: Broker) -> None:
    data = tmp_path / "data"
    open_store(data / "store").close()
    with served(data, broker) as (address, said, _):
        password = re.search(r"password (\S+)", " ".join(said))
        assert password is not None
        status, me, cookie = ask(address, "api/v1/login", {"name": "admin", "password": password[1]})
        assert (status, me["role"]) == (200, "admin")
        key = re.findall(r"bb_session=([^;]+)", cookie)[0]
        assert ask(address, "api/v1/last", key=key)[0] == 200
    kept = b"".join(path.read_bytes() for path in data.iterdir() if path.is_file())
    assert password[1].encode() not in kept
    assert key.encode() not in kept
    assert (data / "accounts.sqlite").stat().st_mode & 0o077 == 0
    with served(data, broker) as (address, said, _):
        assert said == []
        assert ask(address, "api/v1/last", key=key)[0] == 200, "the session outlives a restart"


def test_a_farm_without_data_yet_says_so_and_recovers(tmp_path: Path, broker: Broker) -> None:
    data = tmp_path / "data"
    with served(data, broker) as (address, said, _):
        password = said[0].split("password ")[1].split()[0]
        cookie = ask(address, "api/v1/login", {"name": "admin", "password": password})[2]
        key = re.findall(r"bb_session=([^;]+)", cookie)[0]
        status, answer, _ = ask(address, "api/v1/last", key=key)
        assert (status, answer["error"]["code"]) == (503, "store_failed")
        open_store(data / "store").close()
        assert ask(address, "api/v1/last", key=key)[0] == 200


def test_a_port_that_is_taken_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], broker: Broker
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["dashboard", "--data", str(tmp_path / "data"), "--port", str(broker.port)])
    assert ended.value.code == 1
    assert f"cannot serve on 127.0.0.1:{broker.port}" in capsys.readouterr().err


def test_an_account_is_made_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["dashboard", "--data", str(tmp_path), "--account", "li", "--role", "grower"])
    assert ended.value.code == 0
    password = capsys.readouterr().out.split(": ")[1].strip()
    accounts = Accounts(tmp_path / "accounts.sqlite", lambda: 1.79e9)
    assert accounts.login("li", password, "here")[1].role.name == "GROWER"
    accounts.close()
    with pytest.raises(SystemExit) as ended:
        main(["dashboard", "--data", str(tmp_path), "--account", "li li <script>"])
    assert ended.value.code == 2
