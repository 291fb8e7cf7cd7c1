"""Who may connect to the farm's broker and what each may say: mosquitto's password and access files, made from a list.

A device publishes as itself and hears only its own commands. Only the farm's own programs may send `cmd`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from telemetry.messages import Kind
from telemetry.messages.wire import LEVEL
from telemetry.mqtt import MqttError

FILE = "accounts.json"
PASSWORDS, ACCESS = "passwords", "access"
AUTHORITY, CERTIFICATE, KEY = "ca.crt", "broker.crt", "broker.key"
ITERATIONS = 20_000
SAID = (Kind.BIRTH, Kind.DATA, Kind.STATE, Kind.EVENT, Kind.ACK, Kind.LIVE, Kind.VIDEO)
CERTIFICATE_DAYS = "3650"


class Right(StrEnum):
    """`device`: speaks for itself. `farm`: hears all, speaks for itself, sends commands. `reader`: only hears.

    `sparkplug`: a Sparkplug B node, which speaks for itself and its devices within its group.
    """

    DEVICE = "device"
    SPARKPLUG = "sparkplug"
    FARM = "farm"
    READER = "reader"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One user of the broker; `zone` is a device's; of a Sparkplug B node it is the group."""

    name: str
    right: Right
    site: str
    zone: str
    password: str

    def rules(self) -> list[str]:
        """Return the lines of mosquitto's access file."""
        lines = [f"user {self.name}"]
        own = f"gh/1/{self.site}/{self.zone}/{self.name}"
        if self.right is Right.DEVICE:
            return [*lines, *(f"topic write {own}/{kind}" for kind in SAID), f"topic read {own}/{Kind.CMD}"]
        if self.right is Right.SPARKPLUG:
            node = [f"spBv1.0/{self.zone}/{kind}/{self.name}" for kind in ("NBIRTH", "NDATA", "NDEATH")]
            of_devices = [f"spBv1.0/{self.zone}/{kind}/{self.name}/+" for kind in ("DBIRTH", "DDATA", "DDEATH")]
            heard = [f"spBv1.0/{self.zone}/NCMD/{self.name}", f"spBv1.0/{self.zone}/DCMD/{self.name}/+"]
            heard.append("spBv1.0/STATE/+")
            lines += [f"topic write {topic}" for topic in (*node, *of_devices)]
            return [*lines, *(f"topic read {topic}" for topic in heard)]
        lines.append(f"topic read gh/1/{self.site}/#")
        if self.right is Right.FARM:
            # A program of the farm is a device too (its state, its counters), in whichever zone it was given.
            lines += [f"topic write gh/1/{self.site}/+/{self.name}/{kind}" for kind in SAID]
            lines += [f"topic write gh/1/{self.site}/+/+/{Kind.CMD}", "topic write homeassistant/#"]
            lines += ["topic read spBv1.0/#", "topic write spBv1.0/+/NCMD/+"]
        return lines


def new_account(name: str, right: Right, *, site: str, zone: str) -> Account:
    """Return an account with a password of its own. Raises `ValueError` for a name that is no level of a topic."""
    for level in (name, site, zone):
        if not LEVEL.fullmatch(level) or not level.isascii():
            raise ValueError(f"expected ASCII letters, digits, _ . -, at most 64, got {level!r}")
    return Account(name=name, right=right, site=site, zone=zone, password=secrets.token_urlsafe(18))


def read_accounts(folder: Path) -> list[Account]:
    """Return the accounts kept in `folder`; none where there is no list."""
    try:
        rows = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return [Account(**(row | {"right": Right(row["right"])})) for row in rows]


def write_accounts(folder: Path, accounts: Sequence[Account]) -> None:
    """Write the list and mosquitto's two files, each readable by their owner only and replaced as a whole."""
    folder.mkdir(parents=True, exist_ok=True)
    rules = [
        "# Written by berrybrain broker; by hand: berrybrain broker add.",
        *(r for a in accounts for r in a.rules()),
    ]
    _write(folder / FILE, json.dumps([asdict(account) for account in accounts], indent=1))
    _write(folder / PASSWORDS, "".join(f"{a.name}:{hashed(a.password)}\n" for a in accounts))
    _write(folder / ACCESS, "\n".join(rules) + "\n")


def hashed(password: str, salt: bytes | None = None) -> str:
    """Return a line's second half as mosquitto 2 writes it: PBKDF2 with SHA-512."""
    salt = secrets.token_bytes(12) if salt is None else salt
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


def make_certificate(folder: Path, names: Sequence[str]) -> None:
    """Make an authority of the farm's own and the broker's certificate for `names` (hosts and addresses).

    Raises:
        MqttError: `openssl` is missing or refuses.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kinds = ["IP" if name.replace(".", "").isdigit() or ":" in name else "DNS" for name in names]
    alternatives = ",".join(f"{kind}:{name}" for kind, name in zip(kinds, names, strict=True))
    authority, certificate, key = folder / AUTHORITY, folder / CERTIFICATE, folder / KEY
    authority_key, request = folder / "ca.key", folder / "broker.csr"
    extensions = folder / "extensions"
    _write(extensions, f"subjectAltName={alternatives}\n")
    make_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout")
    days = ("-days", CERTIFICATE_DAYS)
    by = ("-CA", authority, "-CAkey", authority_key, "-CAcreateserial", "-extfile", extensions)
    commands: list[tuple[str | Path, ...]] = [
        ("req", "-x509", *make_key, authority_key, "-subj", "/CN=BerryBrain farm", *days, "-out", authority),
        ("req", *make_key, key, "-subj", f"/CN={names[0]}", "-out", request),
        ("x509", "-req", "-in", request, *by, *days, "-out", certificate),
    ]
    for words in commands:
        try:
            done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise MqttError("broker_lost", "openssl is not installed: sudo apt-get install openssl") from None
        if done.returncode:
            raise MqttError("broker_lost", f"openssl {words[0]}: {done.stderr.strip()[-300:]}")
    for path in (authority_key, key):
        path.chmod(0o600)


def _write(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.touch(mode=0o600)
    part.write_text(text, encoding="utf-8")
    part.replace(path)
