"""The checks of `berrybrain doctor`, one row each: a name and a function that looks and says what it found."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import shared_memory
from pathlib import Path

from dashboard.cli.guard import foreign_packages

DISK_WARN_BYTES = 2 * 10**9
SHM_WARN_BYTES = 64 * 10**6
RENDER_S = 60.0
PACKAGES = (
    "numpy",
    "opencv-python-headless",
    "pyzmq",
    "mujoco",
    "ruckig",
    "py_trees",
    "paho-mqtt",
    "amqtt",
    "duckdb",
    "click",
)

# Draws a red box before black, the way the simulated camera draws; the exit code says whether the picture has both.
RENDER = """
import mujoco
from sim.offscreen import Offscreen, choose_backend
model = mujoco.MjModel.from_xml_string(
    '<mujoco><worldbody><light pos="0 0 3"/><camera name="eye" pos="0 -1 1" xyaxes="1 0 0 0 1 1"/>'
    '<geom type="box" size=".2 .2 .2" rgba="1 0 0 1"/></worldbody></mujoco>')
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
offscreen = Offscreen(model, 64, 48)
red = offscreen.draw(data, offscreen.fixed(0)).color[..., 0]
offscreen.close()
print(choose_backend())
raise SystemExit(0 if red.max() > 60 and red.min() < 30 else 'the picture is blank')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What doctor is asked to look at besides the machine."""

    data: Path | None = None
    farm: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Outcome of one check. `status`: ok, warn (works, with a limit) or bad (something will fail)."""

    name: str
    status: str
    detail: str
    remedy: str = ""


def look(place: Place) -> list[Finding]:
    """Run every check; none of them changes anything."""
    findings = []
    for name, check in CHECKS.items():
        status, detail, remedy = check(place)
        findings.append(Finding(name=name, status=status, detail=detail, remedy=remedy))
    return findings


Outcome = tuple[str, str, str]


def _python(_: Place) -> Outcome:
    text = f"{platform.python_version()} at {sys.executable}"
    return ("ok", text, "") if sys.version_info >= (3, 11) else ("bad", text, "install Python 3.11 or newer")


def _names(_: Place) -> Outcome:
    wrong = foreign_packages()
    if wrong:
        return "bad", "; ".join(wrong), "install berrybrain in an environment of its own"
    return "ok", "robot, vision, telemetry, sim and dashboard are ours", ""


def _packages(_: Place) -> Outcome:
    found, missing = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return "bad", f"missing: {', '.join(missing)}", "pip install berrybrain, or make demo in a clone"
    return "ok", ", ".join(found), ""


def _rendering(_: Place) -> Outcome:
    remedy = "sudo apt-get install libegl1 libgl1-mesa-dri"
    try:
        done = subprocess.run(
            [sys.executable, "-c", RENDER], capture_output=True, text=True, timeout=RENDER_S, check=False
        )
    except subprocess.TimeoutExpired:
        return "bad", f"no picture within {RENDER_S:.0f} s", remedy
    if done.returncode == 0:
        return "ok", f"{done.stdout.strip()} draws without a screen", ""
    return "bad", (done.stderr.strip().splitlines() or ["no picture"])[-1], remedy


def _broker(_: Place) -> Outcome:
    from telemetry.mqtt.broker import mosquitto_path

    path = mosquitto_path()
    if path:
        return "ok", f"mosquitto at {path}: durable", ""
    if importlib.util.find_spec("amqtt"):
        return "warn", "built-in amqtt: not durable, a restarted broker forgets", "sudo apt-get install mosquitto"
    return "bad", "neither mosquitto nor amqtt is installed", "sudo apt-get install mosquitto"


def _ports(place: Place) -> Outcome:
    port = 1883
    try:
        from telemetry.farm import load_farm

        path = _farm_file(place)
        port = load_farm(path).mqtt.port if path else 0
    except ValueError:
        pass
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return (
                "warn",
                f"port {port} for MQTT: {error.strerror}",
                "set [mqtt] port in farm.toml to a free one, or to 0",
            )
    return "ok", f"port {port} for MQTT is free" if port else "any free port is taken for MQTT", ""


def _shared_memory(_: Place) -> Outcome:
    try:
        block = shared_memory.SharedMemory(create=True, size=2**20)
    except OSError as error:
        return "bad", f"/dev/shm: {error.strerror}", "mount /dev/shm (docker: --shm-size=256m)"
    block.close()
    block.unlink()
    free = shutil.disk_usage("/dev/shm").free if Path("/dev/shm").is_dir() else 0
    text = f"{free / 1e6:.0f} MB free"
    return ("warn", text, "docker: --shm-size=256m") if free < SHM_WARN_BYTES else ("ok", text, "")


def _disk(place: Place) -> Outcome:
    folder = place.data or Path(tempfile.gettempdir())
    there = next(parent for parent in (folder.resolve(), *folder.resolve().parents) if parent.exists())
    free = shutil.disk_usage(there).free
    text = f"{free / 1e9:.1f} GB free at {there}"
    if not os.access(there, os.W_OK):
        return "bad", f"{there} cannot be written", "name another folder with --data"
    return ("warn", text, "make room before the store needs it") if free < DISK_WARN_BYTES else ("ok", text, "")


def _realtime(_: Place) -> Outcome:
    if not hasattr(os, "sched_setscheduler"):
        return "warn", "this system has no real-time scheduling", "use Linux for a real robot"
    if os.geteuid() == 0:
        return "ok", "this user may ask for real-time scheduling", ""
    import resource

    if resource.getrlimit(getattr(resource, "RLIMIT_RTPRIO", 14))[0] > 0:
        return "ok", "this user may ask for real-time scheduling", ""
    return (
        "warn",
        "no permission for real-time scheduling; the simulation needs none",
        "a real robot: rtprio in /etc/security/limits.conf",
    )


def _farm_file(place: Place) -> Path | None:
    path = place.farm or Path("farm.toml")
    return path if place.farm or path.exists() else None


def _farm(place: Place) -> Outcome:
    from telemetry.farm import FarmError, load_farm

    path = _farm_file(place)
    if path is None:
        return "ok", "no farm.toml here: the built-in farm is used", ""
    try:
        farm = load_farm(path)
    except FarmError as error:
        return "bad", str(error), f"correct {path}"
    return "ok", f"{path}: site {farm.site.id}, {len(farm.beds)} beds, {len(farm.robots)} robots", ""


def _dead_letters(place: Place) -> Outcome:
    from telemetry.store.embedded import open_store
    from telemetry.store.journal import StoreError

    if place.data is None:
        return "ok", "not looked at: name a farm's state folder with --data DIR", ""
    try:
        store = open_store(place.data / "store", read_only=True)
    except StoreError as error:
        return "warn", f"{place.data} holds no store that can be read: {error.detail}", "run the farm with this --data"
    counters = store.counters()
    newest = store.dead_letters(limit=1)
    store.close()
    if not counters.dead_letters:
        return "ok", f"none among {counters.messages} messages", ""
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(counters.by_reason.items()))
    detail = f"{counters.dead_letters} refused of {counters.messages} messages: {reasons}"
    return "warn", detail, f"the newest came on {newest[0].topic}: {newest[0].detail}" if newest else ""


def _store(place: Place) -> Outcome:
    from telemetry.store.check import check, quarantined
    from telemetry.store.embedded import open_store
    from telemetry.store.journal import StoreError

    if place.data is None:
        return "ok", "not looked at: name a farm's state folder with --data DIR", ""
    try:
        store = open_store(place.data / "store", read_only=True)
        try:
            damaged, aside = check(store), quarantined(store.connection)
            points = store.count()
        finally:
            store.close()
    except StoreError as error:
        if not (place.data / "store").exists():
            return "ok", f"{place.data} has none yet", ""
        status = "warn" if error.code == "store_version" else "bad"
        return status, error.detail, f"berrybrain store repair --data {place.data}"
    if damaged:
        named = "; ".join(f"{damage.file}: {damage.reason}" for damage in damaged[:3])
        return "bad", f"{len(damaged)} damaged: {named}", f"berrybrain store repair --data {place.data}"
    if aside:
        rows = sum(damage.rows for damage in aside)
        detail = f"{len(aside)} damaged files put aside, {rows} rows: {', '.join(damage.file for damage in aside[:3])}"
        return "warn", detail, f"they are in {place.data / 'store' / 'quarantine'}; a backup may still have them"
    return "ok", f"{points} points, every file can be read", ""


def _outboxes(place: Place) -> Outcome:
    from telemetry.mqtt.outbox import OutboxError, outbox_status

    if place.data is None:
        return "ok", "not looked at: name a farm's state folder with --data DIR", ""
    told, lost, refused = [], False, False
    for path in sorted((place.data / "outbox").glob("*.sqlite3")):
        try:
            status = outbox_status(path)
        except OutboxError as error:
            return "bad", str(error), "move the file away: its device makes a new one, and what waited in it is gone"
        lost, refused = lost or status.dropped > 0, refused or status.refused > 0
        told.append(f"{path.stem} {status.waiting} wait, {status.dropped} dropped, {status.refused} refused")
    if refused:
        return "warn", "; ".join(told), "the broker refuses a device: berrybrain broker list shows what each may say"
    if lost:
        return "warn", "; ".join(told), "an outbox was full: the oldest measurements are gone; look at the network"
    return "ok", "; ".join(told) or "no device has one here", ""


def _server(place: Place) -> Outcome:
    from dashboard.cli.checkup_server import look_at_server

    return look_at_server(place.data, _farm_file(place))


CHECKS: dict[str, Callable[[Place], Outcome]] = {
    "python": _python,
    "package names": _names,
    "packages": _packages,
    "rendering": _rendering,
    "broker": _broker,
    "ports": _ports,
    "shared memory": _shared_memory,
    "disk": _disk,
    "real time": _realtime,
    "farm file": _farm,
    "dead letters": _dead_letters,
    "store": _store,
    "outboxes": _outboxes,
    "series server": _server,
}
