"""The HTML report in a browser, opened from a file as users open it: no errors, no request, hover, keys, filters, themes, widths, paper.

Headless Chromium over the largest sample report. Left out: what the page holds (tests/unit/harness/report), and whether it is beautiful:
somebody has to look at it, which `python tests/support/sample_report.py FILE` is for.
"""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.sample_report import SCENARIOS, sample_report
from twinloop.harness.report.page import render

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

# What matters is put into place by the script at once; only unpacking takes a moment.
MOMENT = 10
# In the order in which a machine that has several should be asked.
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="module")
def driver() -> Iterator[WebDriver]:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    chromedriver = shutil.which("chromedriver")
    if not browser or not chromedriver:
        # Left out in silence, nobody would notice that the page has not been opened for months.
        assert not os.environ.get("CI"), "install Chromium and chromedriver: the report is tested in a browser"
        pytest.skip("there is no Chromium with chromedriver here")
    webdriver = pytest.importorskip("selenium.webdriver")
    service = pytest.importorskip("selenium.webdriver.chrome.service")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for each in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(each)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    running = webdriver.Chrome(options=options, service=service.Service(chromedriver))
    yield running
    running.quit()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(sample_report()))
    return path


class Page:
    """What a reader does, and what a reader sees."""

    def __init__(self, driver: WebDriver, file: Path) -> None:
        self.driver: Any = driver  # its log has no types
        self.file = file

    def open(self, *, width: int = 1280, height: int = 900, theme: str = "light", anchor: str = "") -> Page:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [
            {"name": "prefers-color-scheme", "value": theme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        self.driver.get("about:blank")
        self.driver.get(f"{self.file.as_uri()}{anchor}")
        return self

    def js(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(f"return {script}", *arguments)

    def wait(self, script: str) -> None:
        from selenium.webdriver.support.wait import WebDriverWait  # noqa: PLC0415 - not where there is no browser

        WebDriverWait(self.driver, MOMENT, 0.02).until(lambda _: self.js(script), script)

    def errors(self) -> list[str]:
        return [each["message"] for each in self.driver.get_log("browser")]

    def point(self, selector: str, x: float, y: float) -> None:
        """Move the pointer to a place within an element, given from 0 to 1."""
        self.js("document.querySelector(arguments[0]).scrollIntoView({block: 'center'})", selector)
        # Scrolling hides the tooltip, and browsers tell of it a frame later.
        self.driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
        box = self.js("document.querySelector(arguments[0]).getBoundingClientRect().toJSON()", selector)
        at = {"type": "mouseMoved", "x": box["x"] + box["width"] * x, "y": box["y"] + box["height"] * y}
        self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", at)

    def press(self, selector: str, *keys: str) -> None:
        """Put the focus on an element and press keys."""
        self.js("document.querySelector(arguments[0]).focus()", selector)
        element = self.driver.switch_to.active_element
        for key in keys:
            element.send_keys(key)

    def tip(self) -> str:
        """What the tooltip says; nothing while it is hidden."""
        return str(self.js("document.getElementById('tip').hidden ? '' : document.getElementById('tip').textContent"))

    def rows(self) -> list[str]:
        """The scenarios in the matrix that are to be seen."""
        found: list[str] = self.js(
            "[...document.querySelectorAll('.matrix tr.row')].filter((each) => each.offsetParent).map((each) => each.querySelector('a').textContent)"
        )
        return found


@pytest.fixture
def page(driver: WebDriver, file: Path) -> Page:
    return Page(driver, file)


def drawn(name: str) -> str:
    return (
        f"document.querySelector('#s-{name} .drawings').dataset.drawn && document.querySelector('#s-{name} .timeline')"
    )


# --- opening it -------------------------------------------------------------------------------------------------------


def test_it_opens_from_a_file_without_an_error_and_asks_for_nothing(page: Page) -> None:
    page.driver.get_log("browser")
    page.driver.get_log("performance")
    page.open()
    page.wait(drawn("gone-relist"))
    page.js("document.querySelector('.open-all').click()")
    page.wait("[...document.querySelectorAll('.drawings')].every((each) => each.dataset.drawn)")
    assert page.errors() == []
    asked = [
        each["message"] for each in page.driver.get_log("performance") if "Network.requestWillBeSent" in each["message"]
    ]
    assert [
        each for each in asked if "report.html" not in each and '"data:' not in each and "about:blank" not in each
    ] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 800, 390, 320])
def test_nothing_is_wider_than_the_window(page: Page, width: int, theme: str) -> None:
    page.open(width=width, theme=theme)
    page.wait(drawn("gone-relist"))
    page.js("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    page.wait(drawn("two-replicas"))
    overflowing = page.js("""[...document.querySelectorAll('main *')].filter((each) =>
        !each.closest('.wide, svg, .unseen, thead') && each.getBoundingClientRect().right > innerWidth + 1).map((each) => each.outerHTML.slice(0, 90))""")
    assert overflowing == []
    assert page.js("document.documentElement.scrollWidth") == width


def test_it_works_without_a_script(page: Page) -> None:
    page.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        page.open()
        body = page.driver.find_element("tag name", "body").text
    finally:
        page.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert "What differed" in body
    assert "need JavaScript" in body
    assert "Find" not in body, "no filters that do not work"


# --- hover and keys ---------------------------------------------------------------------------------------------------


def test_pointing_at_an_item_of_a_timeline_says_what_it_is_and_marks_the_moment_everywhere(page: Page) -> None:
    page.open()
    page.wait(drawn("gone-relist"))
    # The process lane is the third; it starts at 0.
    page.point("#s-gone-relist .timeline", 0.005, 2.5 / 7)
    page.wait("!document.getElementById('tip').hidden")
    assert page.tip() == "a: started\n0 ms, for 450 ms · line 4 of the history"
    cursors = page.js("[...document.querySelectorAll('#s-gone-relist .clock')][0].querySelectorAll('.cursor')")
    assert {each.get_attribute("x1") for each in cursors} == {cursors[0].get_attribute("x1")}
    assert len(cursors) == 3


def test_pointing_at_nothing_says_nothing(page: Page) -> None:
    page.open()
    page.wait(drawn("gone-relist"))
    page.point("#s-gone-relist .timeline", 0.9, 0.5 / 7)
    assert page.tip() == ""


def test_arrow_keys_go_from_item_to_item(page: Page) -> None:
    page.open()
    page.wait(drawn("gone-relist"))
    page.press("#s-gone-relist .timeline", "\ue014")
    first = page.tip()
    page.press("#s-gone-relist .timeline", "\ue014")
    second = page.tip()
    assert first.startswith("create nginxpods web → 201\n600 ms")
    assert second.startswith("scale nginxpods web to 3 → 200\n1.1 s")
    page.press("#s-gone-relist .timeline", "\ue00c")
    assert page.tip() == "", "Escape"


def test_a_row_of_the_dumbbell_says_all_its_numbers(page: Page) -> None:
    page.open().point(".dumbbell .plot", 0.5, 0.5)
    assert page.tip().splitlines()[1].startswith("kopf: median 310 ms (95 % interval")


def test_a_row_of_the_dumbbell_says_them_to_the_keyboard_too(page: Page) -> None:
    page.open().press("#latencies .legend a, .dumbbell .name a")
    page.driver.switch_to.active_element.send_keys("\ue004")
    assert page.tip().startswith("handwritten: median 120 ms")


def test_an_ecdf_counts_what_was_done_by_then(page: Page) -> None:
    page.open(anchor="#s-create")
    page.wait("document.querySelector('#s-create .ecdf')")
    page.point("#s-create .ecdf", 0.999, 0.3)
    assert page.tip().splitlines()[1:] == ["handwritten: 20 of 20", "kopf: 20 of 20", "kopf-level: 20 of 20"]


def test_a_footprint_says_its_value_with_its_unit(page: Page) -> None:
    page.open().point("#footprint .trace", 0.5, 0.5)
    assert "% of a core" in page.tip()
    page.point("#footprint .trace:last-of-type", 0.5, 0.5)
    assert page.tip().endswith("MB")


def test_an_attempt_and_a_crash_say_what_they_are(page: Page) -> None:
    page.open().press("#retries .points", "\ue014")
    assert page.tip().startswith("handwritten: attempt 1, 0 s after the first")
    page.press("#crashes .point.bad")
    assert "killed after commit of write 3" in page.js("document.activeElement.getAttribute('aria-label')")


# --- filters and links ------------------------------------------------------------------------------------------------


def choose(page: Page, name: str, value: str) -> None:
    page.js("document.querySelector(`.filters [name=${arguments[0]}][value='${arguments[1]}']`).click()", name, value)


def test_all_scenarios_are_there_at_first(page: Page) -> None:
    assert len(page.open().rows()) == len(SCENARIOS)
    assert page.js("document.querySelector('.shown').textContent") == "45 scenarios"


def test_filters_work_together(page: Page) -> None:
    page.open()
    choose(page, "set", "fault")
    choose(page, "outcome", "expected")
    assert page.rows() == ["conflict", "away-long", "two-replicas"]
    page.driver.find_element("css selector", ".filters [type=search]").send_keys("AWAY")
    assert page.rows() == ["away-long"]
    assert page.js("document.querySelector('.shown').textContent") == "1 of 45 scenarios"


def test_a_search_finds_oracles(page: Page) -> None:
    page.open()
    page.driver.find_element("css selector", ".filters [type=search]").send_keys("o15")
    assert page.rows() == ["gone-relist"]


def test_filters_are_used_with_the_keyboard(page: Page) -> None:
    page.open().press(".filters [name=set][value=all]", "\ue014")
    assert len(page.rows()) == 19
    assert page.js("document.activeElement.value") == "calm"


def test_a_filter_that_finds_nothing_can_be_undone(page: Page) -> None:
    page.open()
    page.driver.find_element("css selector", ".filters [type=search]").send_keys("no such thing")
    assert page.rows() == []
    page.js("document.querySelector('.reset').click()")
    assert len(page.rows()) == len(SCENARIOS)


def test_a_number_at_the_top_leads_to_its_rows(page: Page) -> None:
    page.open().js("document.querySelector('[data-show=unexpected]').click()")
    assert page.rows() == ["gone-relist", "stale-list"]


def test_a_link_opens_its_scenario_and_brings_it_into_view(page: Page) -> None:
    page.open().js("document.querySelector('.matrix a[href=\"#s-idle\"]').click()")
    page.wait(drawn("idle"))
    assert page.js("document.querySelector('#s-idle').open")
    assert 0 <= page.js("document.querySelector('#s-idle').getBoundingClientRect().top") < 450


def test_a_scenario_can_be_linked_to_from_outside(page: Page) -> None:
    page.open(anchor="#s-two-replicas")
    page.wait(drawn("two-replicas"))
    assert 0 <= page.js("document.querySelector('#s-two-replicas').getBoundingClientRect().top") < 450


# --- themes, phone, paper ---------------------------------------------------------------------------------------------


def paper(page: Page) -> str:
    return str(page.js("getComputedStyle(document.body).backgroundColor"))


def test_colours_follow_the_system_until_somebody_chooses(page: Page) -> None:
    light = paper(page.open(theme="light"))
    dark = paper(page.open(theme="dark"))
    assert light != dark
    page.js("document.querySelector('[data-theme-choice=light]').click()")
    assert paper(page) == light
    assert page.js("document.querySelector('[data-theme-choice=light]').getAttribute('aria-pressed')") == "true"
    page.js("document.querySelector('[data-theme-choice=auto]').click()")
    assert paper(page) == dark


def test_paper_is_light_even_when_the_screen_is_dark(page: Page) -> None:
    page.open(theme="dark")
    dark = paper(page)
    page.js("dispatchEvent(new Event('beforeprint'))")
    assert paper(page) != dark
    page.js("dispatchEvent(new Event('afterprint'))")
    assert paper(page) == dark


def test_it_can_be_printed(page: Page) -> None:
    page.open()
    page.wait(drawn("gone-relist"))
    printed = base64.b64decode(page.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": False})["data"])
    assert printed.startswith(b"%PDF")
    assert 3 <= printed.count(b"/Type /Page\n") <= 40


def test_tables_stay_tables_on_a_phone(page: Page) -> None:
    page.open(width=390)
    cell = page.driver.find_element("css selector", ".matrix tr.row td")
    assert cell.aria_role == "cell"
    assert "handwritten" in cell.text, "its column's name stands in it"


def test_everything_that_can_be_used_has_a_name_and_no_trap(page: Page) -> None:
    page.open()
    nameless = page.js("""[...document.querySelectorAll('a, button, input, summary, [tabindex]')].filter((each) => each.offsetParent
        && !(each.textContent.trim() || each.getAttribute('aria-label') || each.closest('label'))).map((each) => each.outerHTML.slice(0, 80))""")
    assert nameless == []
    assert page.js("document.querySelectorAll('[tabindex]:not([tabindex=\"0\"])').length") == 0


def test_a_command_is_copied_or_at_least_selected(page: Page) -> None:
    page.open().js("document.querySelector('.card .copy').click()")
    page.wait("document.querySelector('.card .copy').textContent !== 'Copy'")
    said = page.js("document.querySelector('.card .command code').textContent.trim()")
    assert said == "twinloop compare --scenario gone-relist --variant handwritten --variant kopf --seed 1"
