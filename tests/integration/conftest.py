"""Time-series servers of Debian, started once for the tests that need them and ended by their own id."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import urllib3

from telemetry.mqtt.broker import free_port
from telemetry.store.influx import InfluxSettings
from telemetry.store.influx.store import InfluxStore
from telemetry.store.line_protocol import head

START_S = 60.0
FRESH = itertools.count()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if urllib3.request("GET", url, retries=False, timeout=1.0).status < 300:
                return
        except urllib3.exceptions.HTTPError:
            select_nothing(0.05)
    raise RuntimeError(f"no answer at {url}, exit code {process.poll()}")


def select_nothing(seconds: float) -> None:
    import select

    select.select([], [], [], seconds)


def started(words: list[str], url: str) -> Iterator[str]:
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(url, process)
        yield url.rsplit("/", 1)[0]
    finally:
        process.terminate()
        process.wait(20.0)


@pytest.fixture(scope="session")
def victoria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("victoria-metrics")
    if program is None:
        pytest.skip("victoria-metrics is missing; type: sudo apt-get install victoria-metrics")
    port = free_port()
    words = [program, f"-storageDataPath={tmp_path_factory.mktemp('victoria')}", f"-httpListenAddr=127.0.0.1:{port}"]
    words += ["-retentionPeriod=100y", "-search.latencyOffset=0s", "-search.disableCache", "-memory.allowedBytes=64MB"]
    words += ["-dedup.minScrapeInterval=1ms", "-search.maxUniqueTimeseries=10000"]
    yield from started(words, f"http://127.0.0.1:{port}/health")


@pytest.fixture(scope="session")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("influxd") or ("/usr/bin/influxd" if Path("/usr/bin/influxd").exists() else None)
    if program is None:
        pytest.skip("influxd is missing; type: sudo apt-get install influxdb")
    folder, port, other = tmp_path_factory.mktemp("influxd"), free_port(), free_port()
    config = folder / "influxdb.conf"
    config.write_text(
        f'reporting-disabled = true\nbind-address = "127.0.0.1:{other}"\n[meta]\ndir = "{folder}/meta"\n'
        f'[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\nindex-version = "inmem"\nquery-log-enabled = false\n'
        f'[http]\nbind-address = "127.0.0.1:{port}"\nlog-enabled = false\n[monitor]\nstore-enabled = false\n'
    )
    for url in started([program, "-config", str(config)], f"http://127.0.0.1:{port}/ping"):
        urllib3.request("POST", f"{url}/query?q=CREATE+DATABASE+farm")
        yield url


class Seen(InfluxStore):
    """VictoriaMetrics shows what was written after a second, or when asked to."""

    url = ""

    def _write(self, rows: object) -> int:
        count = super()._write(rows)  # type: ignore[arg-type]
        urllib3.request("GET", f"{self.url}/internal/force_flush")
        return count


@pytest.fixture
def outside(request: pytest.FixtureRequest) -> Callable[[str, Path], InfluxStore]:
    """Open an empty store: a measurement of its own in a server that all tests share."""

    def opener(kind: str, folder: Path) -> InfluxStore:
        refused: list[tuple[str, str]] = []
        measurement = f"t{next(FRESH)}"
        assert head(measurement, []) == measurement
        if kind == "influxdb":
            url = request.getfixturevalue("influxd")
            settings = InfluxSettings(url=url, bucket="farm", write="v1", measurement=measurement)
            return InfluxStore(settings, folder, lambda *why: refused.append(why))
        url = request.getfixturevalue("victoria")
        settings = InfluxSettings(url=url, query="promql", measurement=measurement)
        store = Seen(settings, folder, lambda *why: refused.append(why))
        store.url = url
        return store

    return opener
