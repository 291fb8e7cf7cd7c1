"""Accounts, sessions and permissions: who comes in and what each role may do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.auth import (
    ATTEMPTS,
    IDLE_S,
    PERMISSIONS,
    WINDOW_S,
    Accounts,
    AuthError,
    Role,
    authorize,
    random_password,
)


class Hand:
    """A clock turned by hand."""

    def __init__(self) -> None:
        self.at = 1_790_000_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def accounts(tmp_path: Path, clock: Hand) -> Iterator[Accounts]:
    made = Accounts(tmp_path / "accounts.sqlite", clock)
    made.add("li", Role.GROWER, "berries-in-may")
    yield made
    made.close()


def test_right_password_opens_a_session_that_ends_with_logout(accounts: Accounts) -> None:
    key, session = accounts.login("li", "berries-in-may", "10.0.0.5")
    assert (session.name, session.role) == ("li", Role.GROWER)
    assert accounts.session(key) == session
    accounts.logout(key)
    assert accounts.session(key) is None


@pytest.mark.parametrize("name", ["li", "nobody"])
def test_wrong_password_and_unknown_name_are_answered_alike(accounts: Accounts, name: str) -> None:
    with pytest.raises(AuthError) as refused:
        accounts.login(name, "wrong-password", "10.0.0.5")
    assert (refused.value.code, refused.value.status) == ("login_wrong", 401)


def test_guessing_is_stopped_and_allowed_again_after_the_window(accounts: Accounts, clock: Hand) -> None:
    for _ in range(ATTEMPTS):
        with pytest.raises(AuthError, match="login_wrong"):
            accounts.login("li", "wrong-password", "10.0.0.5")
    with pytest.raises(AuthError, match="login_wait"):
        accounts.login("li", "berries-in-may", "10.0.0.6")
    clock.at += WINDOW_S + 1
    accounts.login("li", "berries-in-may", "10.0.0.6")


def test_session_runs_out_when_nobody_touches_it(accounts: Accounts, clock: Hand) -> None:
    key, _ = accounts.login("li", "berries-in-may", "10.0.0.5")
    clock.at += IDLE_S + 1
    assert accounts.session(key) is None


def test_forged_session_key_is_nobody(accounts: Accounts) -> None:
    assert accounts.session("A" * 43) is None
    assert accounts.session(None) is None


def test_keys_and_passwords_are_not_kept_in_the_file(accounts: Accounts, tmp_path: Path) -> None:
    key, _ = accounts.login("li", "berries-in-may", "10.0.0.5")
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert key.encode() not in kept
    assert b"berries-in-may" not in kept
    assert (tmp_path / "accounts.sqlite").stat().st_mode & 0o077 == 0


def test_new_password_ends_the_old_sessions(accounts: Accounts) -> None:
    key, _ = accounts.login("li", "berries-in-may", "10.0.0.5")
    accounts.add("li", Role.VIEWER, "another-password")
    assert accounts.session(key) is None


@pytest.mark.parametrize(
    ("name", "password"), [("", "long-enough"), ("<b>", "long-enough"), ("wu", "short"), ("wu", "x" * 300)]
)
def test_unusable_names_and_passwords_are_refused(accounts: Accounts, name: str, password: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        accounts.add(name, Role.VIEWER, password)


def test_every_signed_in_role_may_stop_the_robot_and_only_some_may_start_it(accounts: Accounts) -> None:
    accounts.add("guest", Role.VIEWER, "only-looking")
    _, guest = accounts.login("guest", "only-looking", "10.0.0.5")
    authorize("POST", "/api/v1/robots/{robot}/stop", guest, guest.csrf)
    for action in ("hold", "resume", "reset"):
        with pytest.raises(AuthError, match="not_allowed"):
            authorize("POST", f"/api/v1/robots/{{robot}}/{action}", guest, guest.csrf)


def test_request_without_the_sessions_token_is_refused(accounts: Accounts) -> None:
    _, session = accounts.login("li", "berries-in-may", "10.0.0.5")
    for csrf in (None, "", "x" * 43):
        with pytest.raises(AuthError, match="form_expired"):
            authorize("POST", "/api/v1/robots/{robot}/stop", session, csrf)


def test_unlisted_route_and_strangers_are_refused() -> None:
    with pytest.raises(AuthError, match="not_allowed"):
        authorize("GET", "/api/v1/secret", None, None)
    closed = [route for route, role in PERMISSIONS.items() if role > Role.PUBLIC]
    assert len(closed) > 10
    for method, template in closed:
        with pytest.raises(AuthError, match="not_signed_in"):
            authorize(method, template, None, None)


def test_random_passwords_are_long_and_never_the_same() -> None:
    made = {random_password() for _ in range(200)}
    assert len(made) == 200
    assert all(len(password.replace("-", "")) == 16 for password in made)
