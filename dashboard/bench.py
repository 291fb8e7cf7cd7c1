"""Measure the dashboard over a real broker: weight of a first load, cost of viewers, answer times, time to a stop."""

from __future__ import annotations

import asyncio
import math
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dashboard
from dashboard.bench_client import CONNECTIONS, Caller, at_rate, percentile, watch, weigh_page
from dashboard.serve import ADMIN, first_admin
from telemetry.farm import Farm, default_farm_text, parse_farm
from telemetry.messages import Event, Kind, Topic
from telemetry.mqtt.broker import free_port, start_broker
from telemetry.store import Point, Series
from telemetry.store.embedded import open_store
from telemetry.store.journal import Batch, Entry

HOST = "127.0.0.1"
START_S = 30.0
WARM_S = 3.0
VIEWERS = 5
RATE = 100.0
DAYS = 40.0
PICKS = 500
POLLS = {"morning": 15.0, "segments": 60.0, "picks?limit=1000": 300.0}
"""What the morning page asks again while it is open, and how often [s] (`static/pages/morning.js`)."""
PAGES = ("login", "morning", "map", "robot", "climate", "alarms", "plan")


def run(*, seconds: float = 20.0, stops: int = 120, fps: float = 15.0, state_seconds: float = 60.0) -> dict[str, Any]:
    """Return the figures; takes about `2 * seconds + state_seconds` and some more.

    Args:
        seconds: for each load.
        stops: how many stops are sent.
        fps: pictures the robot sends per second.
        state_seconds: how long one page without video is watched.

    Raises:
        TimeoutError: the dashboard did not answer.
    """
    with tempfile.TemporaryDirectory(prefix="berrybrain-bench-") as folder, ExitStack() as stack:
        data = Path(folder)
        farm = parse_farm(default_farm_text())
        _lay_down(farm, data, time.time())
        password = first_admin(data)
        broker = start_broker(data / "broker", 0)
        stack.callback(broker.close)
        port = free_port()
        served = _child(stack, "serve", str(data), str(broker.port), str(port))
        _child(stack, "robot", str(broker.port), str(fps))
        figures = asyncio.run(
            _measure(
                port, password or "", served.pid, seconds=seconds, stops=stops, state_seconds=state_seconds, farm=farm
            )
        )
        return {**figures, "broker": broker.name, "fps": fps, "history_days": DAYS}


async def _measure(
    port: int, password: str, pid: int, *, seconds: float, stops: int, state_seconds: float, farm: Farm
) -> dict[str, Any]:
    caller = Caller(HOST, port)
    await _answers(caller)
    key, csrf = await _login(caller, password)
    robot = farm.robots[0].id
    callers = [Caller(HOST, port, dict(caller.headers)) for _ in range(CONNECTIONS)]
    figures: dict[str, Any] = {}
    try:
        figures |= await _first_load(caller)
        quiet = await watch(HOST, port, key, ["state"], state_seconds)
        polled = sum([(await caller.request("GET", f"/api/v1/{path}"))[1] / every for path, every in POLLS.items()])
        figures["mb_per_hour_no_video"] = round(3600.0 * (quiet.bytes / state_seconds + polled) / 1e6, 3)
        figures["mb_per_hour_socket"] = round(3600.0 * quiet.bytes / state_seconds / 1e6, 3)
        topics = ["state", f"robot:{robot}", f"camera:{robot}"]
        viewers = [asyncio.create_task(watch(HOST, port, key, topics, WARM_S + seconds)) for _ in range(VIEWERS)]
        await asyncio.sleep(WARM_S)
        used, began = _cpu_seconds(pid), time.monotonic()
        await asyncio.sleep(seconds - 0.5)
        figures["cpu_5_viewers_pct"] = round(100.0 * (_cpu_seconds(pid) - used) / (time.monotonic() - began), 2)
        heard = await asyncio.gather(*viewers)
        pictures = sum(h.pictures for h in heard)
        figures["viewer_fps"] = round(pictures / VIEWERS / (WARM_S + seconds), 2)
        figures["picture_kb"] = round(sum(h.bytes for h in heard) / max(1, pictures) / 1e3, 1)
        for path in _paths(farm):  # once: opening files and reading the journal's past is the cost of a start
            await caller.request("GET", path)
        used, began = _cpu_seconds(pid), time.monotonic()
        times = await at_rate(callers, _paths(farm), RATE, seconds)
        figures["cpu_api_pct"] = round(100.0 * (_cpu_seconds(pid) - used) / (time.monotonic() - began), 1)
        figures |= _spread("api", times)
        stopper = Caller(HOST, port, {**caller.headers, "x-csrf": csrf})
        callers.append(stopper)
        figures |= await _stops(stopper, robot, stops)
    finally:
        for each in (caller, *callers):
            each.close()
    return figures


async def _answers(caller: Caller) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            status, _, _ = await caller.request("GET", "/health")
            if status == 200:
                return
        except OSError:
            caller.writer = None
        if time.monotonic() > deadline:
            raise TimeoutError(f"the dashboard does not answer within {START_S:.0f} s")
        await asyncio.sleep(0.05)


async def _login(caller: Caller, password: str) -> tuple[str, str]:
    """Sign in over a plain client, whose answer's cookie can be read."""
    import json
    import urllib.request

    def ask() -> tuple[str, str]:
        body = json.dumps({"name": ADMIN, "password": password}).encode()
        address = f"http://{caller.host}:{caller.port}/api/v1/login"
        request = urllib.request.Request(address, body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=10.0) as answer:
            cookie = str(answer.headers["set-cookie"])
            return cookie.split("bb_session=")[1].split(";", maxsplit=1)[0], str(json.load(answer)["csrf"])

    key, csrf = await asyncio.to_thread(ask)
    caller.headers = {"cookie": f"bb_session={key}"}
    return key, csrf


async def _first_load(caller: Caller) -> dict[str, Any]:
    """Weigh every page that exists; a figure is that of the heaviest."""
    weights: dict[str, int] = {}
    for page in PAGES:
        status, _, _ = await caller.request("GET", f"/static/pages/{page}.js")
        if status == 200:
            weights[page] = (await weigh_page(caller, page))[0]
    if not weights:
        return {"first_load_kb": None}
    by_page = {page: round(size / 1e3, 1) for page, size in weights.items()}
    return {"first_load_kb": max(by_page.values()), "first_load_kb_by_page": by_page}


def _paths(farm: Farm) -> list[str]:
    device = farm.devices[0]
    series = [f"/api/v1/history?device={device.id}&metric={metric}" for metric in device.metrics]
    now = time.time()
    week = [f"{path}&start={now - 7 * 86400:.0f}&end={now:.0f}" for path in series]
    all_days = [f"{path}&start={now - DAYS * 86400:.0f}&end={now:.0f}" for path in series]
    plain = [
        f"/api/v1/{name}" for name in ("me", "last", "morning", "segments", "picks?limit=50", "plan", "alarms", "lots")
    ]
    return [*plain, *series, *plain, *week, *plain, *all_days, *plain]


async def _stops(caller: Caller, robot: str, count: int) -> dict[str, Any]:
    """Stop, reset and resume again and again; the time of a stop is from the request to the confirmed answer."""
    import json

    times, unconfirmed = [], 0
    for _ in range(count):
        began = time.monotonic()
        _, _, body = await caller.request("POST", f"/api/v1/robots/{robot}/stop", {})
        times.append(time.monotonic() - began)
        unconfirmed += json.loads(body)["status"] not in ("done", "accepted")
        for command in ("reset", "resume"):
            await caller.request("POST", f"/api/v1/robots/{robot}/{command}", {})
    return _spread("stop", times) | {"stops": count, "stops_unconfirmed": unconfirmed}


def _spread(name: str, times: list[float]) -> dict[str, Any]:
    milliseconds = [1000.0 * t for t in times]
    return {
        f"{name}_p99_ms" if name == "api" else f"{name}_ms_p99": round(percentile(milliseconds, 0.99), 2),
        f"{name}_median_ms": round(percentile(milliseconds, 0.5), 2),
        f"{name}_max_ms": round(max(milliseconds), 2),
    }


def _lay_down(farm: Farm, data: Path, now: float) -> None:
    """Store so many days of made-up measurements: queries must have something to read."""
    store = open_store(data / "store")
    for device in farm.devices:
        for metric in device.metrics:
            series = Series(farm.site.id, device.zone, device.id, metric)
            count = int(DAYS * 86400.0 / device.interval)
            ats = (now - device.interval * (count - i) for i in range(count))
            points = [
                Point(series=series, at=at, value=20.0 + 5.0 * math.sin(at / 13000.0), received_at=at) for at in ats
            ]
            store.commit(Batch(points=points, messages=count))
    store.commit(Batch(entries=[_pick(farm, now - 40.0 * i, i) for i in range(PICKS)]))
    store.close()


def _pick(farm: Farm, at: float, number: int) -> Entry:
    robot = farm.robots[0]
    topic = Topic(site=farm.site.id, zone=robot.zone, device=robot.id, kind=Kind.EVENT)
    data = {
        "order_id": "bench",
        "bed": robot.bed,
        "side": robot.side,
        "segment": number % 4,
        "berry_id": number,
        "ripeness": 0.8 + (number % 20) / 100.0,
        "stage": "ripe",
        "diameter": 0.02 + (number % 13) / 1000.0,
        "result": "ok" if number % 7 else "unreachable",
        "attempt": 1,
        "seconds": 6.0 + (number % 41) / 10.0,
        "peak_force": 0.5,
        "mass": 0.01 + (number % 17) / 1000.0,
        "punnet": f"p{number // 24}",
    }
    event = Event(at=at, seq=number, boot="bench", type="pick", data=data)
    return Entry(topic=topic, payload=event, received_at=at)


def _child(stack: ExitStack, *words: str) -> subprocess.Popen[bytes]:
    house = str(Path(dashboard.__path__[0]).parent)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [house, os.environ.get("PYTHONPATH")]))}
    process = subprocess.Popen([sys.executable, "-m", "dashboard.bench_child", *words], env=environment)
    stack.callback(_end, process)
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(5.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _cpu_seconds(pid: int) -> float:
    """Return the processor time a process has used in all its threads [s]."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / float(os.sysconf("SC_CLK_TCK"))
