"""The other processes of the dashboard's bench: `serve DATA MQTT_PORT PORT` and `robot MQTT_PORT FPS`."""

from __future__ import annotations

import secrets
import signal
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from dashboard.pretend import PretendRobot, PretendSettings
from dashboard.serve import ServeSettings, WallClock, run
from dashboard.timers import ClockTimers
from telemetry.farm import default_farm_text, parse_farm
from telemetry.mqtt.device import Address
from telemetry.mqtt.network import NetworkClient

HOST = "127.0.0.1"
KEPT_FRAMES = 16


def frames() -> list[bytes]:
    """Return pictures of 640 by 480 as large as a bed's are: leaves, berries and the sensor's noise."""
    draw = np.random.default_rng(1)
    coarse = draw.integers(20, 140, (30, 40, 3), dtype=np.uint8)
    leaves = cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC)
    pictures = []
    for number in range(KEPT_FRAMES):
        picture = leaves.copy()
        for i in range(12):
            centre = (40 + 52 * i, 200 + (i * 37 + number * 4) % 180)
            cv2.circle(picture, centre, 20, (40, 30, 190), -1)
        noise = draw.normal(0.0, 9.0, picture.shape)
        noisy = np.clip(picture + noise, 0, 255).astype(np.uint8)
        pictures.append(cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 75])[1].tobytes())
    return pictures


def serve(data: Path, mqtt_port: int, port: int) -> None:
    """Serve the built-in farm."""
    farm = parse_farm(default_farm_text())
    settings = ServeSettings(data=data, farm=farm, mqtt_host=HOST, mqtt_port=mqtt_port, host=HOST, port=port)
    run(settings, WallClock())


def robot(mqtt_port: int, fps: float) -> None:
    """Be the built-in farm's robot, without end."""
    farm = parse_farm(default_farm_text())
    known, clock = farm.robots[0], WallClock()
    timers, pictures = ClockTimers(clock), frames()
    client = NetworkClient(HOST, mqtt_port, known.id, clean=True)
    settings = PretendSettings(
        address=Address(site=farm.site.id, zone=known.zone, device=known.id),
        boot=secrets.token_hex(4),
        frames=lambda number: pictures[number % len(pictures)],
        video_period=1.0 / fps,
    )
    worker = PretendRobot(client, clock, timers, settings)
    worker.begin("bench", {"bed": known.bed, "side": known.side, "segments": [0, 1, 2, 3] * 1000})
    ended = False

    def end(*_: object) -> None:
        nonlocal ended
        ended = True

    signal.signal(signal.SIGTERM, end)
    while not ended:
        due = timers.next_due()
        client.loop(0.01 if due is None else min(0.01, max(0.0, due - time.monotonic())))
        timers.run_due()
    client.close()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        robot(int(sys.argv[2]), float(sys.argv[3]))
