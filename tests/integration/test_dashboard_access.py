"""Who reaches what: every route is in the one table, roles hold, forged and stale requests are refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.routing import BaseRoute

import dashboard_farm
from dashboard.auth import PERMISSIONS, Role
from dashboard.errors import TEXTS
from dashboard.guard import MAX_BODY

ROLES = {"viewer": Role.VIEWER, "grower": Role.GROWER, "admin": Role.ADMIN}
EXAMPLES = {"robot": "berry-1", "lot": "none", "alarm": "none", "path": "none.js"}
ENDS_THE_SESSION = {("POST", "/api/v1/logout"), ("POST", "/api/v1/login")}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    running = dashboard_farm.Site(tmp_path_factory.mktemp("site"), days=0.1)
    yield running
    running.close()


def walk(routes: list[BaseRoute]) -> Iterator[tuple[str, str]]:
    for route in routes:
        inner = getattr(route, "routes", None)
        if inner:
            yield from walk(list(inner))
        path = getattr(route, "path", None)
        if path is None:
            continue
        methods = getattr(route, "methods", None)
        for method in (methods or {"WS"}) - {"HEAD"}:
            yield method, path


def fill(template: str) -> str:
    return template.replace("{path:path}", "none.js").format(**EXAMPLES)


def test_the_table_of_permissions_lists_exactly_the_routes_that_exist(site: Any) -> None:
    documented = set()
    for path, operations in site.app.openapi()["paths"].items():
        documented |= {(method.upper(), path) for method in operations}
    hidden = {
        ("GET", "/"),
        ("GET", "/t/{lot}"),
        ("GET", "/t/{lot}/qr.svg"),
        ("GET", "/static/{path:path}"),
        ("GET", "/api/v1/openapi.json"),
        ("WS", "/live"),
    }
    assert documented | hidden == set(PERMISSIONS)
    assert set(walk(list(site.app.routes))) <= set(PERMISSIONS)


@pytest.mark.parametrize(("method", "template"), sorted(k for k in PERMISSIONS if k[0] != "WS"))
def test_nobody_below_its_role_passes_a_route(site: Any, method: str, template: str) -> None:
    needed, path = PERMISSIONS[method, template], fill(template)
    with httpx.Client(base_url=site.url) as stranger:
        answer = stranger.request(method, path, json={} if method == "POST" else None)
        assert (answer.status_code == 401 and code(answer) == "not_signed_in") is (needed > Role.PUBLIC)
    if (method, template) in ENDS_THE_SESSION:
        return
    for name, role in ROLES.items():
        with site.login(name) as client:
            answer = client.request(method, path, json={} if method == "POST" else None)
            assert (answer.status_code == 403) is (role < needed), (name, answer.text)


def code(answer: httpx.Response) -> str:
    error = answer.json()["error"]
    assert error["zh"] and error["en"] and TEXTS[error["code"]]
    return str(error["code"])


def test_a_change_without_the_sessions_token_is_refused(site: Any) -> None:
    with site.login("grower") as grower, site.login("admin") as other:
        for token in ("", "x", other.headers["x-csrf"]):
            answer = grower.post("/api/v1/robots/berry-1/hold", headers={"x-csrf": token})
            assert (answer.status_code, code(answer)) == (403, "form_expired")


def test_a_request_from_another_sites_page_is_refused_even_with_the_cookie(site: Any) -> None:
    with site.login("viewer") as viewer:
        answer = viewer.post("/api/v1/robots/berry-1/stop", headers={"origin": "http://evil.example"})
        assert (answer.status_code, code(answer)) == (403, "wrong_origin")
        assert viewer.post("/api/v1/robots/berry-1/stop", headers={"origin": site.url}).status_code == 200


@pytest.mark.parametrize("key", ["", "x", "a" * 5000, "' OR 1=1 --"])
def test_a_forged_session_is_nobody(site: Any, key: str) -> None:
    answer = httpx.get(site.url + "/api/v1/me", headers={"cookie": f"bb_session={key}"})
    assert (answer.status_code, code(answer)) == (401, "not_signed_in")


def test_a_session_that_was_ended_is_worth_nothing(site: Any) -> None:
    with site.login("viewer", anew=True) as client:
        key = client.cookies["bb_session"]
        assert client.post("/api/v1/logout").status_code == 200
    answer = httpx.get(site.url + "/api/v1/me", headers={"cookie": f"bb_session={key}"})
    assert code(answer) == "not_signed_in"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(site: Any) -> None:
    answer = httpx.post(site.url + "/api/v1/login", json={"name": "viewer", "password": "viewer-berries"})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    assert "bb_session" not in answer.text and cookie.split("=")[1].split(";")[0] not in answer.text


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{}", b'{"name": 1, "password": 2}', b'{"name":"viewer"}', b"\xff\xfe", b"{" * 2000,
     b'{"name":"viewer","password":"x","role":"admin"}', b'{"name":"' + b"v" * 400 + b'","password":"x"}'],
)  # fmt: skip
def test_a_log_in_that_is_none_is_answered_with_what_is_wrong(site: Any, body: bytes) -> None:
    answer = httpx.post(site.url + "/api/v1/login", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, code(answer)) == (422, "bad_request")


def test_a_form_of_another_site_cannot_log_in_as_json(site: Any) -> None:
    body = json.dumps({"name": "viewer", "password": "viewer-berries"})
    answer = httpx.post(site.url + "/api/v1/login", content=body, headers={"content-type": "text/plain"})
    assert answer.status_code == 422
    assert "set-cookie" not in answer.headers


def test_a_huge_body_is_refused_whether_it_says_so_or_not(site: Any) -> None:
    def endless() -> Iterator[bytes]:
        yield from (b" " * 8192 for _ in range(2 * MAX_BODY // 8192))

    for content in (b" " * (MAX_BODY + 1), endless()):
        answer = httpx.post(site.url + "/api/v1/login", content=content, headers={"content-type": "application/json"})
        assert (answer.status_code, code(answer)) == (413, "too_large")


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/v1/nothing", "/static/../auth.py", "/static/%2e%2e/auth.py", "/docs"]
)
def test_what_is_not_there_is_said_in_both_languages(site: Any, path: str) -> None:
    answer = httpx.get(site.url + path)
    assert (answer.status_code, code(answer)) == (404, "not_found")


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/robot", "/#/robot"),
        ("/map/bed-1", "/#/map/bed-1"),
        ("/map/bed-1?layer=ripe&x=%0d%0a", "/#/map/bed-1?layer=ripe&x=%0d%0a"),
        ("//evil.test", "/#//evil.test"),
        ("/a%0d%0ab", "/#/a%0D%0Ab"),
    ],
)
def test_a_person_who_forgot_the_hash_comes_to_the_page(site: Any, path: str, page: str) -> None:
    person = {"accept": "text/html,application/xhtml+xml"}
    answer = httpx.get(site.url + path, headers=person)
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    for kept in ("/api/v1/nothing", "/static/nothing.js"):
        assert httpx.get(site.url + kept, headers=person).status_code == 404


def test_a_wrong_method_is_said_so(site: Any) -> None:
    answer = httpx.delete(site.url + "/api/v1/me")
    assert (answer.status_code, code(answer)) == (405, "method_not_allowed")


@pytest.mark.parametrize("path", ["/health", "/api/v1/me", "/nothing", "/api/v1/site"])
def test_every_answer_forbids_what_pages_do_not_need(site: Any, path: str) -> None:
    headers = httpx.get(site.url + path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "http:" not in policy and "*" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers or "uvicorn" in headers["server"]


def test_the_public_log_in_page_learns_the_sites_name_and_nothing_else(site: Any) -> None:
    assert set(httpx.get(site.url + "/api/v1/site").json()) == {"id", "name", "timezone", "now", "signed_in"}


@pytest.mark.usefixtures("patient")
def test_log_ins_and_commands_leave_a_line_that_only_an_admin_reads(site: Any) -> None:
    with site.login("viewer") as viewer:
        viewer.post("/api/v1/robots/berry-1/stop")
    httpx.post(site.url + "/api/v1/login", json={"name": "=cmd|x", "password": "wrong-password"})
    with site.login("admin") as admin:
        lines = admin.get("/api/v1/audit?limit=50").json()
    seen = {(line["name"], line["action"], line["target"], line["result"]) for line in lines}
    assert ("viewer", "stop", "berry-1", "done") in seen
    assert ("=cmd|x", "login", "", "login_wrong") in seen
    assert all(line["at"] > 1.7e9 and line["address"] == "127.0.0.1" for line in lines)
