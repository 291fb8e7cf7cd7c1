"""A broker of the farm's own, named by [mqtt] url: the demo starts none and says what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.cli import main
from dashboard.cli.errors import Misuse
from dashboard.cli.known_broker import address, credentials
from telemetry.farm import default_farm_text, parse_farm
from telemetry.farm.settings import Mqtt
from telemetry.mqtt.broker import free_port


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://broker.farm", ("broker.farm", 1883)),
        ("mqtts://broker.farm", ("broker.farm", 8883)),
        ("mqtt://10.0.0.2:1234", ("10.0.0.2", 1234)),
    ],
)
def test_address_of_a_url(url: str, expected: tuple[str, int]) -> None:
    assert address(Mqtt(url=url)) == expected


def test_password_comes_from_the_environment_and_its_absence_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    mqtt = Mqtt(url="mqtts://b", username="ingest", password_env="FARM_SECRET")
    with pytest.raises(Misuse, match="FARM_SECRET is not set"):
        credentials(mqtt)
    monkeypatch.setenv("FARM_SECRET", "s3cret")
    settings = credentials(mqtt)
    assert (settings.username, settings.password) == ("ingest", "s3cret")
    assert settings.tls is not None
    assert settings.tls.check_hostname
    assert "s3cret" not in repr(settings)
    with pytest.raises(Misuse, match="ca_file"):
        credentials(Mqtt(url="mqtts://b", ca_file="/nowhere/ca.crt"))
    assert credentials(Mqtt()).tls is None


def test_demo_with_a_broker_that_does_not_answer_ends_with_its_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    text = default_farm_text().replace(
        'url = ""                          # mqtt', f'url = "mqtt://127.0.0.1:{port}" # mqtt'
    )
    assert parse_farm(text).mqtt.url
    farm = tmp_path / "farm.toml"
    farm.write_text(text)
    with pytest.raises(SystemExit) as stop:
        main(["demo", "--headless", "--farm", str(farm), "--data", str(tmp_path / "data"), "--timeout", "30"])
    assert stop.value.code == 1
    assert f"mqtt://127.0.0.1:{port}" in capsys.readouterr().err
