"""The report of a run and a comparison of runs, opened from disk as a colleague opens them."""

import pandas as pd
import plotly.graph_objects as go
import pytest
from browser_lab import SCREENSHOTS, browser, need_browser

need_browser()
pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")

from axe_playwright_python.sync_playwright import Axe  # noqa: E402 (it may be missing)
from playwright.sync_api import expect  # noqa: E402

from workbench.runs import Run  # noqa: E402
from workbench.runs.report import write_comparison  # noqa: E402

pytestmark = pytest.mark.browser
WIDTHS = (1280, 390)
OWN = ("file:", "data:", "blob:", "about:")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Return the pages: of a run, and of two runs side by side."""
    folder = tmp_path_factory.mktemp("runs")
    for name, rates in (("one", (0.9, 0.4)), ("two", (0.8, 0.5))):
        _run(folder / name, rates)
    both = write_comparison([folder / "one", folder / "two"], folder / "both.html")
    return {"run": folder / "one" / "index.html", "comparison": both}


def _run(folder, rates):
    frame = pd.DataFrame({"library": ["Numpy", "Pandas"], "pass@1": rates})
    frame["low"], frame["high"] = frame["pass@1"] - 0.1, frame["pass@1"] + 0.1
    run = Run.open("ds1000", parameters={"seed": 1}, out=folder, title="DS-1000", asks="Who answers?")
    run.table("by library", frame, "pass@1 by library")
    whiskers = {"type": "data", "array": [0.1, 0.1], "arrayminus": [0.1, 0.1]}
    figure = go.Figure(go.Bar(x=frame["library"], y=frame["pass@1"], error_y=whiskers))
    run.figure("by-library", figure, "pass@1 by library, with 95 % intervals")
    for statement, supported in (("It is so", True), ("It is not so", False), ("Who knows", None)):
        run.claim(
            paper="A 2023", statement=statement, measured=rates[0], interval=(0.3, 0.95), n=20, seeds=2,
            supported=supported,
        )  # fmt: skip
    run.finish()


@pytest.fixture(scope="module")
def chromium():
    with browser() as driven:
        yield driven


@pytest.fixture(
    params=[(w, c) for w in WIDTHS for c in ("light", "dark")], ids=lambda one: f"{one[0]}-{one[1]}"
)
def window(request, chromium):
    """Return a page of a size and a colour scheme, and what it complains of."""
    width, scheme = request.param
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.heard = []
    page.on("console", lambda message: page.heard.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda fault: page.heard.append(f"error: {fault}"))
    page.on("request", lambda asked: asked.url.startswith(OWN) or page.heard.append(f"request: {asked.url}"))
    page.name = f"{width}-{scheme}"
    yield page
    page.close()


def open_page(page, file):
    page.goto(file.as_uri())
    page.wait_for_function("() => document.documentElement.dataset.drawn === 'yes'")


@pytest.mark.parametrize("which", ["run", "comparison"])
def test_it_needs_nothing_complains_of_nothing_and_everybody_can_use_it(which, pages, window):
    open_page(window, pages[which])
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    window.screenshot(path=SCREENSHOTS / f"report-{which}-{window.name}.png", full_page=True)
    assert window.heard == []
    found = Axe().run(window)
    assert found.response["violations"] == [], found.generate_report()
    for landmark in ("banner", "main", "contentinfo"):
        expect(window.get_by_role(landmark)).to_have_count(1)
    sticks_out = window.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
    assert sticks_out <= 0
    assert window.locator(".plot svg.main-svg").count() > 0


def test_tables_are_sorted_by_keyboard(pages, window):
    open_page(window, pages["run"])
    table = window.locator("#ds1000-table-by-library table.sortable")
    head = table.locator("thead button", has_text="pass@1").first
    sorts = table.locator("thead th", has_text="pass@1").first
    first = table.locator("tbody tr").first
    head.focus()
    head.press("Enter")
    expect(sorts).to_have_attribute("aria-sort", "ascending")
    expect(first).to_contain_text("Pandas")
    head.press("Enter")
    expect(sorts).to_have_attribute("aria-sort", "descending")
    expect(first).to_contain_text("Numpy")


def test_the_first_tab_skips_to_the_content(pages, window):
    open_page(window, pages["run"])
    window.keyboard.press("Tab")
    assert window.evaluate("() => document.activeElement.getAttribute('href')") == "#content"
