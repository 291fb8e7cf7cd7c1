"""Map, robot, alarms, climate and plan as people use them, over a running farm with a robot that picks."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect, sync_playwright

import dashboard_farm
from robot.arms import load_arm
from robot.kinematics.chain import tool_position
from telemetry.messages.tables import faults

pytestmark = pytest.mark.e2e

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
GL = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
NO_GL = """HTMLCanvasElement.prototype.getContext = ((get) => function (kind, ...more) {
  return kind.startsWith("webgl") ? null : get.call(this, kind, ...more);
})(HTMLCanvasElement.prototype.getContext)"""
QUIET = f"localStorage.setItem('bb.camera', 'off'); {NO_GL}"
"""Neither pictures nor 3-D, where a test is about something else."""
JOINTS = {
    "rail_joint": 1.3,
    "shoulder_pan_joint": -1.1,
    "shoulder_lift_joint": -2.2,
    "elbow_joint": 1.7,
    "wrist_1_joint": -0.6,
    "wrist_2_joint": 0.9,
    "wrist_3_joint": 2.4,
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here; type: sudo apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", *GL])
        expect.set_options(timeout=20_000)  # a busy machine draws a page in 10 s
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    farm = dashboard_farm.Site(tmp_path_factory.mktemp("farm"), pick_period=2.0, days=0.1)
    yield farm
    farm.close()


@contextmanager
def signed_in(
    browser: Browser,
    site: Any,
    page: str,
    *,
    who: str = "grower",
    size: Any = DESK,
    lang: str = "en",
    script: str = QUIET,
) -> Iterator[Page]:
    """Give a page of the app; by its end it has asked no other host and written no error."""
    context = browser.new_context(viewport=size, locale="zh-CN" if lang == "zh" else "en-GB", color_scheme="light")
    context.set_default_timeout(15_000)
    answer = context.request.post(f"{site.url}/api/v1/login", data={"name": who, "password": f"{who}-berries"})
    assert answer.ok, answer.text()
    shown = context.new_page()
    errors: list[str] = []
    elsewhere: list[str] = []
    shown.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    shown.on("pageerror", lambda error: errors.append(str(error)))
    shown.on("request", lambda asked: None if asked.url.startswith(site.url) else elsewhere.append(asked.url))
    if script:
        shown.add_init_script(script)
    try:
        shown.goto(f"{site.url}/#/{page}")
        yield shown
        assert shown.evaluate("document.documentElement.scrollWidth") <= size["width"], "the page scrolls sideways"
    finally:
        context.close()
    assert not elsewhere
    assert not errors


def set_going(site: Any) -> None:
    """Bring the robot back to picking."""
    with site.login("grower") as client:
        for command in ("reset", "resume"):
            client.post(f"/api/v1/robots/berry-1/{command}")
    assert site.beds.robot.safety == "RUN"


def keep_pressed(page: Page, button: Locator, done: Locator) -> None:
    """Press and hold until it is done; a page that moves the button away under load lets go, and one presses again."""
    for _ in range(3):
        button.hover()
        page.mouse.down()
        try:
            expect(done).to_be_visible(timeout=12_000)
        except AssertionError:
            continue
        finally:
            page.mouse.up()
        return
    expect(done).to_be_visible()


def picture(canvas: Locator) -> str:
    """Return what a canvas shows, as text to compare."""
    return str(canvas.evaluate("(canvas) => canvas.toDataURL()"))


def test_the_map_prints_what_hangs_in_each_segment_and_arrows_move_through_it(browser: Browser, site: Any) -> None:
    with site.login("viewer") as client:
        rows = client.get("/api/v1/segments").json()
    still = {row["segment"]: row for row in rows if row["bed"] == "bed-2"}  # the robot is on bed-1
    with signed_in(browser, site, "map/bed-2") as page:
        cells = page.locator('[data-lane="1"]')
        expect(cells).to_have_count(len(still))
        for segment in (0, 5):
            expect(cells.nth(segment)).to_have_accessible_name(re.compile(rf"Ripe {still[segment]['left']}"))
        cells.nth(3).click()
        expect(page.locator(".detail h2")).to_have_text("bed 2 seg 4")
        page.keyboard.press("ArrowRight")
        expect(page.locator(".detail h2")).to_have_text("bed 2 seg 5")
        expect(page.locator(".detail .fig.hero dd").first).to_have_text(re.compile(rf"^{still[4]['left']}"))
        page.keyboard.press("ArrowUp")
        expect(page.locator(".detail h2")).to_have_text("bed 1 seg 5")
        expect(page.locator(".way .bot")).to_have_count(1)
        page.get_by_role("button", name="Turning").click()
        expect(cells.nth(3)).to_have_accessible_name(re.compile(f"Turning {still[3]['turning']}"))
        page.get_by_role("link", name=re.compile("Tunnel 2")).click()
        expect(page.locator(".cell.none")).to_have_count(6)  # nobody has looked there, and the map says so
        expect(page.locator(".cell.none").first).to_have_accessible_name(re.compile("no data"))


def test_on_a_phone_a_segment_opens_from_below_and_stop_stays_within_reach(browser: Browser, site: Any) -> None:
    with signed_in(browser, site, "map", size=PHONE, lang="zh") as page:
        cell = page.locator('[data-lane="1"][data-segment="11"]')
        cell.click()
        expect(page.locator("dialog.bottom h2")).to_have_text("2 架 12 段")
        box = cell.bounding_box()
        assert box is not None and box["height"] >= 48.0
        assert page.locator(".bar .stop").evaluate(
            "(stop) => { const { x, y, width, height } = stop.getBoundingClientRect();"
            " return stop.contains(document.elementFromPoint(x + width / 2, y + height / 2)) }"
        )
        page.keyboard.press("Escape")
        expect(page.locator("dialog.bottom")).to_have_count(0)


def test_pictures_come_only_while_they_are_wanted_and_say_age_and_cost(
    browser: Browser, site: Any, until: Callable[..., None]
) -> None:
    viewers = site.app.state.hub._viewers

    def watched() -> bool:
        return any("camera:berry-1" in viewer.watch for viewer in viewers)

    with signed_in(browser, site, "robot", script=NO_GL) as page:
        camera = page.locator(".cam")
        expect(camera).to_have_attribute("data-state", "live")
        expect(camera).to_contain_text(re.compile(r"fps · [\d.]+ m?s ago"))
        expect(camera).to_contain_text(re.compile(r"Video about [\d\s]+ MB/h"))
        expect(camera.locator("canvas")).to_have_accessible_name(re.compile("1 Ripe, 1 Turning"))
        first = picture(camera.locator("canvas"))
        until(lambda: picture(camera.locator("canvas")) != first)
        assert watched()
        camera.get_by_role("button", name="Pause").click()
        expect(camera).to_contain_text("Camera paused; no data is used")
        until(lambda: not watched())
        camera.get_by_role("button", name="Show camera").click()
        until(watched)
        page.goto(f"{site.url}/#/map")
        until(lambda: not watched())


def test_the_arm_is_drawn_as_measured_where_the_robot_says_its_tool_is(browser: Browser, site: Any) -> None:
    arm = load_arm("ur3e")
    with signed_in(browser, site, "robot", script="localStorage.setItem('bb.camera', 'off')") as page:
        canvas = page.locator("canvas.arm")
        expect(canvas).to_have_attribute("data-ready", "true")
        expect(page.locator(".armsheet")).to_contain_text(re.compile(r"rail \d\.\d\d m · gripper open \d+ mm"))
        tool = page.evaluate(
            """async (joints) => {
              const { linkPoses } = await import("/static/parts/chain.js");
              const model = await (await fetch("/api/v1/robots/berry-1/model")).json();
              return linkPoses(model, joints).get("tool").slice(9);
            }""",
            JOINTS,
        )
        assert tool == pytest.approx(tool_position(arm, list(JOINTS.values())), abs=1e-9)


def test_without_3_d_the_arm_is_a_side_view_and_the_log_says_in_words_why_a_berry_was_left(
    browser: Browser, site: Any
) -> None:
    with site.login("viewer") as client:
        picks = client.get("/api/v1/picks?limit=60").json()
    assert {pick["result"] for pick in picks} - {"ok"}, "the made-up past has no failures"
    with signed_in(browser, site, "robot", lang="zh", size=PHONE) as page:
        expect(page.locator("svg.arm .rod").first).to_be_attached()
        expect(page.locator("svg.arm")).to_contain_text("过道")
        page.get_by_role("button", name="更多").click()
        log = page.locator(".log li")
        expect(log.filter(has_text=re.compile("留下：|没采到：")).first).to_be_visible()
        assert not re.search(
            r"[a-z]+_[a-z]+", "".join(page.locator(".log, .why").all_inner_texts())
        )  # no .why after midnight


@pytest.mark.usefixtures("patient")
def test_after_a_stop_one_resets_by_holding_and_only_then_resumes(browser: Browser, site: Any) -> None:
    try:
        with signed_in(browser, site, "robot") as page:
            page.locator(".bar .stop").click()
            stopped = page.locator(".after-stop")
            expect(stopped.get_by_role("heading", name="Stopped")).to_be_visible()
            expect(stopped).to_contain_text(re.compile(r"stop by .* confirmed after \d+\.\d+ s"))
            reset = stopped.get_by_role("button", name="Hold 2 s to reset")
            resume = stopped.get_by_role("button", name="Resume")
            expect(resume).to_be_disabled()
            reset.click()  # too short
            expect(reset).not_to_have_attribute("data-held", "true")
            assert site.beds.robot.safety == "PSTOP"
            keep_pressed(page, reset, page.locator(".after-stop.ready"))
            assert site.beds.robot.safety == "READY"  # nothing moves before a resume
            resume.click()
            expect(stopped).to_have_count(0)
            assert site.beds.robot.safety == "RUN"
    finally:
        set_going(site)


@pytest.mark.usefixtures("patient")
def test_what_the_robot_needs_is_shown_until_somebody_says_that_it_was_done(browser: Browser, site: Any) -> None:
    due = faults()["cleaning_due"]
    site.call(lambda: site.beds.robot.needs("cleaning_due"))
    site.call(lambda: site.beds.robot.needs("blade_due"))
    with signed_in(browser, site, "robot", who="viewer") as page:
        expect(page.locator(".cause.due").first).to_contain_text(due.do_en)
        expect(page.get_by_role("button", name="Cleaned")).to_have_count(0)
    with signed_in(browser, site, "robot") as page:
        expect(page.locator(".cause.due").first).to_contain_text(due.en)
        page.get_by_role("button", name="Cleaned").click()
        expect(page.locator(".cause.due")).to_have_count(1)
    try:
        with signed_in(browser, site, "robot") as page:
            page.locator(".bar .stop").click()
            stopped = page.locator(".after-stop")
            stopped.get_by_role("button", name="Blade changed").click()
            expect(stopped.locator(".cause.due")).to_have_count(0)
    finally:
        set_going(site)
    assert site.beds.robot.due == []


@pytest.mark.usefixtures("patient")
def test_an_alarm_says_what_to_do_first_and_who_has_taken_it_and_a_viewer_who_may(browser: Browser, site: Any) -> None:
    fault = faults()["gripper_force"]
    try:
        site.call(lambda: site.beds.robot.fault("gripper_force"))
        with signed_in(browser, site, "alarms", who="viewer") as page:
            card = page.locator(".al").filter(has_text=fault.en)
            expect(card).to_contain_text(fault.do_en)
            expect(card.get_by_role("button", name="growers only")).to_be_disabled()
            expect(page.locator(".placeh").filter(has_text="Robot berry-1")).to_be_visible()
            page.goto(f"{site.url}/#/robot")
            expect(page.get_by_role("button", name="Reset, resume: growers only")).to_be_disabled()
            expect(page.locator(".bar .stop")).to_be_enabled()
        with signed_in(browser, site, "alarms", lang="zh", size=PHONE) as page:
            card = page.locator(".al").filter(has_text=fault.zh)
            expect(card).to_contain_text(fault.do_zh)
            card.get_by_role("button", name="确认").click()
            expect(card).to_contain_text(re.compile(r"grower \d\d:\d\d 接手"))
            page.get_by_role("button", name="处理中").click()
            expect(page.locator(".al")).to_have_count(1)  # it is taken, and it lasts
            card.get_by_role("button", name=fault.zh).click()
            expect(page.locator("dialog.bottom")).to_contain_text("grower：看到了，我来管")
    finally:
        set_going(site)


def test_a_chart_is_zoomed_by_hand_and_fetches_what_is_looked_at(browser: Browser, site: Any) -> None:
    with signed_in(browser, site, "climate", who="viewer") as page:
        plot = page.locator('figure[data-metric="air_temperature"] .plot')
        expect(plot.locator("canvas")).to_have_count(1)
        asked: list[float] = []

        def note(request: Any) -> None:
            query = parse_qs(urlsplit(request.url).query)
            if "metric=air_temperature" in request.url:
                asked.append(float(query["end"][0]) - float(query["start"][0]))

        page.on("request", note)
        before = picture(plot.locator("canvas"))
        box = plot.bounding_box()
        assert box is not None
        middle = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + 0.70 * box["width"], middle)
        page.mouse.down()
        page.mouse.move(box["x"] + 0.90 * box["width"], middle, steps=6)
        with page.expect_response(lambda answer: "metric=air_temperature" in answer.url):
            page.mouse.up()
        expect(page.get_by_role("button", name="Back to now")).to_be_visible()
        assert 0.0 < asked[-1] < 0.5 * 86400.0, "a part of the day was selected, and only that was asked for"
        assert picture(plot.locator("canvas")) != before
        page.get_by_role("button", name="Back to now").click()
        expect(page.get_by_role("button", name="Back to now")).to_have_count(0)


def test_a_viewer_reads_the_plan_and_only_a_grower_may_ask_for_a_new_one(browser: Browser, site: Any) -> None:
    with signed_in(browser, site, "plan", who="viewer") as page:
        expect(page.get_by_role("main")).to_contain_text("bed 1")
        asked = page.context.request.post(f"{site.url}/api/v1/plan/run")
        assert asked.status == 403


def test_an_old_count_claims_nothing_about_today(browser: Browser, site: Any) -> None:
    set_going(site)
    ago = {"hours": 25.0}

    def counted(route: Route) -> None:
        rows = route.fetch().json()
        at = max(row["at"] or 0.0 for row in rows) - ago["hours"] * 3600.0
        route.fulfill(json=[row | {"at": at, "left": 0} for row in rows])

    with signed_in(browser, site, "alarms", who="viewer") as page:
        page.route("**/api/v1/segments", counted)
        said = page.get_by_role("heading", level=1)
        page.goto(f"{site.url}/#/map")
        expect(said).to_contain_text("nobody has counted since")
        page.goto(f"{site.url}/#/robot")
        expect(said).to_have_text(re.compile("what is left there is not counted yet|^Looking"))
        ago["hours"] = 1.0
        page.goto(f"{site.url}/#/map")
        expect(said).to_contain_text("Nothing ripe is left")


def test_a_plan_is_not_read_as_if_it_knew_what_was_seen_after_it(browser: Browser, site: Any) -> None:
    place = {"robot": "berry-1", "bed": "bed-1", "side": "a", "value": 0.0, "chosen": True, "order_id": None}
    never = {"ripe": -1, "reason": {"zh": "从未去过", "en": "never visited"}, "status": None}

    def plan(route: Route) -> None:
        at = route.fetch().json()["at"] or 1.8e9
        entries = [place | never | {"segment": 0, "last_visit": at + 5.0}, place | never | {"segment": 1}]
        entries[1]["last_visit"] = at - 90_000.0  # counted before the brain's own time began: another bed then
        route.fulfill(json={"at": at, "entries": entries, "orders": [], "reasons": []})

    with signed_in(browser, site, "alarms", who="viewer") as page:
        page.route("**/api/v1/plan", plan)
        page.goto(f"{site.url}/#/plan")
        first, second = (page.locator(".entries li").nth(i) for i in (0, 1))
        expect(first).to_contain_text("seen since this plan")
        expect(first).not_to_contain_text("not looked at yet")
        expect(second).to_contain_text("not looked at yet")
        expect(second).not_to_contain_text("seen")
