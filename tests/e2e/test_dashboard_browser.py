"""The pages as people use them: a real browser, a real server, a pretend robot that obeys, falls silent, or is gone."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

import dashboard_farm
from dashboard.label import qr_svg

pytestmark = pytest.mark.e2e

HOUSE = Path(__file__).resolve().parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
FRAME_PAGES = ("morning", "map", "robot", "climate", "alarms", "plan")
SOFTWARE_GL = "GL Driver Message"
"""What Chromium warns of when it draws 3-D without a graphics card."""
CUT_OFF = (
    "ERR_CONNECTION_(REFUSED|RESET|CLOSED)|ERR_EMPTY_RESPONSE|ERR_CONTENT_LENGTH_MISMATCH|ERR_INCOMPLETE_CHUNKED_ENCODING"
    "|WebSocket connection"
)
"""What Chromium says of a server that is killed before, while and after it answers."""
DAY_OFF = "const now = Date.now; Date.now = () => now() + 86400000;"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here; type: sudo apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        expect.set_options(timeout=20_000)  # a busy machine draws a page in 10 s
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    farm = dashboard_farm.Site(tmp_path_factory.mktemp("farm"), pick_period=3600.0, days=1.0)
    yield farm
    farm.close()


@contextmanager
def opened(
    browser: Browser, url: str, *, size: Any = DESK, lang: str = "en", script: str = "", forgiven: str = "$^"
) -> Iterator[Page]:
    """Give a page, not signed in; by its end it has asked no other host and written no error but `forgiven` ones."""
    context = browser.new_context(viewport=size, locale="zh-CN" if lang == "zh" else "en-GB", color_scheme="light")
    context.set_default_timeout(30_000)
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda said: errors.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    elsewhere: list[str] = []
    page.on("request", lambda asked: None if asked.url.startswith((url, "blob:")) else elsewhere.append(asked.url))
    if script:
        page.add_init_script(script)
    try:
        page.goto(url)
        yield page
    finally:
        context.close()
    assert not elsewhere
    assert not [error for error in errors if not re.search(f"{forgiven}|{SOFTWARE_GL}", error)]


def sign_in(page: Page, name: str = "grower", password: str = "") -> None:
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", password or f"{name}-berries")
    page.press("input[name=password]", "Enter")


def bar(page: Page, state: str) -> Any:
    """Return the robot bar once it shows a state."""
    found = page.locator(f".bar[data-state={state}]")
    expect(found).to_be_visible()
    return found


def set_going(site: Any) -> None:
    """Bring the robot back to picking."""
    with site.login("grower") as client:
        for command in ("reset", "resume"):
            client.post(f"/api/v1/robots/berry-1/{command}")
    assert site.beds.robot.safety == "RUN"


def test_a_wrong_password_is_said_under_the_field_and_the_right_one_opens_the_day(browser: Browser, site: Any) -> None:
    with opened(browser, site.url, forgiven="status of 401") as page:
        expect(page.get_by_role("heading", name="Yangcunqiao")).to_be_visible()
        expect(page.locator(".stop")).to_have_count(0)
        page.click("button[type=submit]")
        expect(page.locator("input[name=name]")).to_have_attribute("aria-invalid", "true")
        sign_in(page, password="a wrong one")
        field = page.locator("input[name=password]")
        expect(field).to_have_attribute("aria-describedby", "login-error")
        expect(page.locator("#login-error")).to_contain_text("The name or the password is wrong")
        expect(page.locator("input[name=name]")).to_have_value("grower")
        sign_in(page)
        expect(page.locator(".head h1")).to_be_visible()
        expect(page.locator(".harvest .fig.hero")).to_contain_text(re.compile(r"≈ [\d.]+k?g"))
        page.reload()
        expect(page.locator(".head h1")).to_be_visible()
        page.get_by_role("button", name="Account").click()
        page.get_by_role("button", name="Log out").click()
        expect(page.locator("form")).to_be_visible()


def test_language_and_theme_change_at_once_and_are_kept(browser: Browser, site: Any) -> None:
    with opened(browser, site.url, lang="zh") as page:
        sign_in(page)
        root = page.locator("html")
        expect(page.locator(".bar .stop")).to_have_text("停止机器人")
        expect(root).to_have_attribute("data-theme", "light")
        page.get_by_role("button", name="明 / 暗").click()
        page.get_by_role("button", name="EN").click()
        expect(page.locator(".bar .stop")).to_have_text("Stop robot")
        expect(page.locator(".nav [aria-current]")).to_have_text("Today")
        assert not re.search(r"[\u4e00-\u9fff]", page.inner_text("main"))
        page.reload()
        expect(root).to_have_attribute("lang", "en")
        expect(root).to_have_attribute("data-theme", "dark")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 19, 16)"


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_every_page_has_the_frame_and_stop_within_reach(browser: Browser, site: Any, size: Any) -> None:
    pages = [name for name in FRAME_PAGES if (HOUSE / "dashboard/static/pages" / f"{name}.js").exists()]
    with opened(browser, site.url, size=size) as page:
        sign_in(page, "viewer")
        for name in pages:
            page.goto(f"{site.url}/#/{name}")
            expect(page.locator("main h1").first).to_be_visible()
            bar(page, "ready" if site.beds.robot.safety == "READY" else "picking" if _works(site) else "free")
            stop = page.locator(".bar .stop")
            expect(stop).to_be_enabled()
            box = stop.bounding_box()
            assert box is not None
            assert box["height"] >= 56.0
            assert box["y"] + box["height"] <= size["height"]
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], f"{name} scrolls sideways"
        nav = page.locator(".nav").bounding_box()
        assert nav is not None
        assert (nav["y"] > 700.0) if size is PHONE else (nav["x"] == 0.0 and nav["height"] > 800.0)


def _works(site: Any) -> bool:
    return bool(site.beds.services.view.robots["berry-1"].status == "working")


def test_a_viewer_stops_the_robot_and_is_told_when_it_confirmed(browser: Browser, site: Any) -> None:
    with opened(browser, site.url) as page:
        sign_in(page, "viewer")
        expect(page.locator(".age").first).to_contain_text("Live")
        page.locator(".bar .stop").click()
        said = bar(page, "stop_confirmed").inner_text()
        found = re.search(r"confirmed after (\d\.\d\d) s", said)
        assert found, said
        assert 0.0 < float(found[1]) < 20.0, "seconds as a person waits them; how few is for the bench to say"
        assert site.beds.robot.safety == "PSTOP"
        set_going(site)
        bar(page, "picking" if _works(site) else "free")
        page.keyboard.press("Shift+Escape")
        bar(page, "stop_confirmed")
        assert site.beds.robot.safety == "PSTOP"
    set_going(site)


def test_a_stop_that_nobody_confirms_is_not_claimed(browser: Browser, site: Any) -> None:
    with opened(browser, site.url) as page:
        sign_in(page)
        bar(page, "picking" if _works(site) else "free")
        site.call(lambda: site.beds.broker.cut("berry-1"))
        expect(page.locator(".bar")).to_have_attribute("data-state", re.compile("^(lost|silent)$"))
        expect(page.locator(".bar")).to_contain_text("is not known")
        page.locator(".bar .stop").click()
        bar(page, "stopping")
        expect(bar(page, "stop_unconfirmed")).to_contain_text("use the red switch on the machine")
        expect(page.locator(".bar .stop")).to_be_enabled()
        assert site.beds.robot.safety == "RUN"
        site.call(lambda: site.beds.broker.restore("berry-1"))
        expect(page.locator(".bar")).to_have_attribute("data-state", re.compile("^(stop_confirmed|stopped)$"))
        assert site.beds.robot.safety == "PSTOP"
    set_going(site)


def test_a_lost_broker_is_said_at_once(browser: Browser, site: Any) -> None:
    with opened(browser, site.url, lang="zh") as page:
        sign_in(page)
        expect(page.locator(".age").first).to_contain_text("实时")
        site.call(site.beds.broker.stop)
        expect(page.locator(".notice")).to_contain_text("按机身上的红色急停开关", timeout=3_000)
        bar(page, "lost")
        site.call(site.beds.broker.start)
        expect(page.locator(".notice")).to_have_count(0)


def test_a_clock_that_is_a_day_off_changes_no_age(browser: Browser, site: Any) -> None:
    with opened(browser, site.url, script=DAY_OFF) as page:
        sign_in(page)
        with site.login("viewer") as client:
            today = client.get("/api/v1/site").json()["now"]
        said = page.locator(".head .when").inner_text()
        day = page.evaluate(
            "at => new Intl.DateTimeFormat('en-GB', {day: 'numeric', timeZone: 'Asia/Shanghai'}).format(at)",
            today * 1000,
        )
        assert re.search(rf"\b{day}\b", said), said
        expect(page.locator(".top .age")).to_have_text(re.compile(r"Live · \d s"))


def test_a_session_that_was_ended_leads_back_to_the_log_in(browser: Browser, site: Any) -> None:
    with opened(browser, site.url, forgiven="status of 401") as page:
        sign_in(page)
        expect(page.locator(".head h1")).to_be_visible()
        (cookie,) = page.context.cookies()
        assert cookie["httpOnly"] and cookie["sameSite"] == "Strict"
        site.call(lambda: site.beds.services.accounts.logout(cookie["value"]))
        expect(page.locator("form")).to_be_visible(timeout=15_000)
        expect(page.locator(".stop")).to_have_count(0)
        sign_in(page)
        expect(page.locator(".head h1")).to_be_visible()


def test_the_pages_reckon_right(browser: Browser, site: Any) -> None:
    """Sunrise and sunset as almanacs print them for London on 21 June and Beijing on 21 December 2024 [UTC]."""
    with opened(browser, site.url) as page:
        expect(page.locator("form")).to_be_visible()
        sun = "async ([at, lat, lon]) => (await import('/static/lib/sun.js')).sunTimes(at, lat, lon)"
        for day, place, rise, sunset in (
            ("2024-06-21", (51.507, -0.128), "03:43", "20:21"),
            ("2024-12-21", (39.904, 116.407), "23:32", "08:53"),
        ):
            noon = datetime.fromisoformat(f"{day}T{'12' if place[1] < 1.0 else '04'}:00:00+00:00").timestamp()
            found = page.evaluate(sun, [noon, *place])
            for name, said in (("rise", rise), ("set", sunset)):
                told = datetime.fromtimestamp(found[name], UTC)
                off = abs((told.hour * 60 + told.minute + told.second / 60) - (int(said[:2]) * 60 + int(said[3:])))
                assert off <= 2.0, f"{day} {name}: {told:%H:%M}, expected {said}"
        written = page.evaluate(
            """async () => {
              const f = await import("/static/lib/format.js");
              return [f.num(1286), f.num(-0.04, 1), f.num(-15.42, 1), f.num(null), f.percent(0.871),
                f.massText(0.93125), f.massText(15.44),
                f.duration(59), f.duration(2300), f.ago(7300), f.clock(1742000000)];
            }"""
        )
        thin = "\u202f"
        numbers = [f"1{thin}286", "0.0", "−15.4", "—", "87 %", "931 g", "15.4 kg"]
        assert written == [*numbers, "59 s", "38 min", "2 h ago", "08:53"]


class Farm:
    """The farm in a process of its own, to be killed."""

    def __init__(self, data: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._data = data
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, until: Callable[..., None]) -> None:
        words = ["--port", str(self.port), "--days", "0.2", "--data", str(self._data)]
        environment = {**os.environ, "PYTHONPATH": str(HOUSE)}
        self._process = subprocess.Popen(
            [sys.executable, "tests/support/dashboard_farm.py", *words], cwd=HOUSE, env=environment
        )
        until(self._answers, within=120.0, what="the farm's server")

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10.0)
            self._process = None

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=1.0).status_code == 200
        except httpx.HTTPError:
            return False


@pytest.fixture
def farm(tmp_path: Path, until: Callable[..., None]) -> Iterator[Farm]:
    farm = Farm(tmp_path)
    farm.start(until)
    yield farm
    farm.kill()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_buyers_page_prints_its_label_and_nothing_else_on_white(browser: Browser, site: Any, lang: str) -> None:
    with site.login("viewer") as client:
        lot = client.get("/api/v1/lots").json()[-1]["id"]
    with opened(browser, site.url, size=PHONE, lang=lang) as page:
        page.goto(f"{site.url}/t/{lot}")
        label = page.locator(".t-label")
        expect(label).to_contain_text(lot)
        said = {"zh": r"架.* 年 .* 月 .*≈ .*熟度", "en": r"bed.* 20\d\d, .*≈ .*ripeness"}
        expect(label).to_contain_text(re.compile(said[lang]))
        expect(label.locator("img")).to_have_js_property("complete", True)
        assert label.locator("img").evaluate("(code) => code.naturalWidth") > 0
        page.locator("html").evaluate("(root) => root.dataset.theme = 'dark'")
        page.emulate_media(media="print")
        expect(page.locator("h1")).to_be_hidden()
        expect(label).to_be_visible()
        expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
        code = page.request.get(site.url + str(label.locator("img").get_attribute("src")))
        assert code.text() == qr_svg(f"{site.url}/t/{lot}")


def test_an_open_page_outlives_its_server(browser: Browser, farm: Farm, until: Callable[..., None]) -> None:
    with opened(browser, farm.url, forgiven=CUT_OFF) as page:
        sign_in(page)
        expect(page.locator(".age").first).to_contain_text("Live")
        expect(page.locator(".head h1")).to_be_visible()
        before = page.locator(".harvest .hero").inner_text()
        farm.kill()
        expect(page.locator(".notice")).to_contain_text("Out of touch with the dashboard", timeout=2_000)
        bar(page, "page_lost")
        assert page.locator(".harvest .hero").inner_text() == before
        page.locator(".bar .stop").click()
        bar(page, "stop_unconfirmed")
        farm.start(until)
        expect(page.locator(".notice")).to_have_count(0, timeout=20_000)
        expect(page.locator(".top .age")).to_contain_text("Live")
        expect(page.locator(".bar")).to_have_attribute(
            "data-state", re.compile("^(stop_confirmed|stopped)$"), timeout=20_000
        )
        expect(page.locator(".head h1")).to_be_visible()
