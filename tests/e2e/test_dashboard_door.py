"""`berrybrain dashboard` takes lines from influxdb-client beside its pages, with a token made while it runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS

from telemetry.mqtt.broker import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

HOUSE = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "import sys; from dashboard.cli import main; main(sys.argv[1:])"]


def test_lines_go_in_and_answers_come_out_beside_the_pages(tmp_path: Path) -> None:
    words = ["dashboard", "--data", str(tmp_path), "--port", "0", "--mqtt", f"127.0.0.1:{free_port()}"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    server = subprocess.Popen([*COMMAND, *words], cwd=HOUSE, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = next(line.strip().rstrip("/") for line in server.stdout if line.startswith("http://"))
        made = [*COMMAND, "token", "add", "probe", "--scope", "write", "--scope", "read", "--data", str(tmp_path)]
        token = subprocess.run(made, cwd=HOUSE, check=True, capture_output=True, text=True).stdout.strip()
        with InfluxDBClient(url=url, token=token, org="any", enable_gzip=True) as client:
            assert client.ping() and client.health().status == "pass"
            now = time.time_ns()
            lines = [f"climate,zone=z1,device=c-1 air_temperature={i % 30} {now - i * 10**9}" for i in range(20_000)]
            client.write_api(write_options=SYNCHRONOUS).write(bucket="farm", record=lines)  # more than a page may send
        asked = {"metric": "air_temperature", "from": "-1d", "format": "csv"}
        answer = httpx.get(
            f"{url}/api/v1/query", params=asked, headers={"authorization": f"Token {token}"}, timeout=30.0
        )
        assert answer.status_code == 200 and len(answer.text.splitlines()) == 20_001
        assert httpx.get(f"{url}/").status_code == 200
        assert httpx.get(f"{url}/api/v1/last", headers={"authorization": f"Token {token}"}).status_code == 401
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(20.0) is not None
