"""The widgets in JupyterLab, used by hand: in the tour, while a training runs, in a notebook that is opened again."""

import re
import shutil

import nbformat
import pytest
from browser_lab import Lab, browser, jupyter, need_browser
from nbformat.v4 import new_code_cell, new_notebook
from paper_notebooks import NOTEBOOKS
from small_notebooks import write_notebook

need_browser()

from playwright.sync_api import expect  # noqa: E402 (it may be missing)

pytestmark = pytest.mark.browser
PYTHON = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
WIDGETS = {
    "problems": "Problem browser",
    "traces": "Trace explorer",
    "rewards": "Reward inspector",
    "monitor": "Training monitor",
    "runs": "Run comparer",
    "launcher": "Launcher",
}
SECOND = 1_000


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="module")
def lab(place):
    """Return JupyterLab on a folder, in a window high enough for pictures of whole widgets."""
    with browser() as chromium, jupyter(place) as (address, token):
        page = chromium.new_page(viewport={"width": 1400, "height": 1700})
        page.set_default_timeout(30 * SECOND)
        yield Lab(page, address, token)


@pytest.fixture(scope="module")
def tour(lab, place):
    """Return the tour, executed to its end."""
    shutil.copy(NOTEBOOKS / "start_here.ipynb", place)
    lab.open("start_here.ipynb")
    lab.run_all()
    return lab


def write(place, name, *cells):
    nbformat.write(
        new_notebook(cells=[new_code_cell(one.strip()) for one in cells], metadata=PYTHON), place / name
    )


@pytest.mark.parametrize("name", WIDGETS)
def test_the_tour_shows_each_widget_in_place_of_its_picture(tour, name):
    widget = tour.widget(name)
    expect(widget).to_contain_text(WIDGETS[name])
    tour.page.wait_for_timeout(SECOND)  # plots are drawn
    tour.shot(name, widget)
    pictures = tour.page.locator("[id^=explore-]", has_text=WIDGETS[name])
    assert not any(one.is_visible() for one in pictures.all())
    assert tour.complaints == []


def test_problems_are_filtered_stepped_through_edited_and_run_again(tour):
    widget = tour.widget("problems")
    heading = widget.locator("b", has_text=re.compile(r"^Problem \d+"))
    first = heading.inner_text()
    widget.get_by_label("verdict").select_option("passed")
    expect(heading).not_to_have_text(first)
    passing = heading.inner_text()
    widget.locator("button[title='the next one']").click()
    expect(heading).not_to_have_text(passing)
    widget.get_by_label("verdict").select_option("failed")
    widget.get_by_label("library").select_option("Matplotlib")
    expect(widget).to_contain_text("The reference draws", timeout=60 * SECOND)
    expect(widget.locator("img").first).to_be_visible()
    tour.shot("problems-figures", widget)
    widget.get_by_label("library").select_option("Numpy")
    before = widget.inner_text()
    widget.locator("textarea").fill("raise ValueError('edited by hand')")
    widget.locator("textarea").blur()
    widget.get_by_role("button", name="Run again").click()
    expect(widget).to_contain_text("Verdict after your edit", timeout=60 * SECOND)
    expect(widget).to_contain_text("edited by hand")
    assert "edited by hand" not in before
    tour.shot("problems-edited", widget)


def test_a_trace_is_followed_from_round_to_round(tour):
    widget = tour.widget("traces")
    expect(widget).to_contain_text("3. The prompt")
    asked = widget.get_by_text(re.compile(r"Retrieval, query:"))
    last = asked.inner_text()
    widget.locator(".widget-toggle-button").first.click()
    expect(asked).to_have_text("1. Retrieval, query: question")
    assert last != "1. Retrieval, query: question"
    tour.shot("traces-first-round", widget)
    widget.get_by_label("ending").select_option("raised")
    expect(widget.locator(".widget-toggle-button").last).to_have_text("round 3 ✗")


def test_an_answer_that_is_typed_is_scored(tour):
    widget = tour.widget("rewards")
    expect(widget).to_contain_text("log π − log π of the reference")
    prompt = widget.inner_text()
    widget.locator("button[title='the next one']").click()
    tour.page.wait_for_timeout(SECOND)
    assert widget.inner_text() != prompt
    widget.locator("textarea").fill("ana likes green .")
    widget.locator("textarea").blur()
    widget.get_by_role("button", name="Score it").click()
    expect(widget.get_by_text("yours", exact=True)).to_be_visible(timeout=60 * SECOND)
    tour.shot("rewards-typed", widget)


def test_runs_are_compared_by_choice(tour):
    widget = tour.widget("runs")
    expect(widget).to_contain_text("Parameters that differ")
    widget.locator("select[multiple]").select_option(index=0)
    expect(widget).not_to_contain_text("Parameters that differ")


def test_the_form_of_the_launcher_follows_paper_and_profile(tour):
    widget = tour.widget("launcher")
    widget.get_by_label("paper").select_option("ds1000")
    samples = widget.locator(".widget-hbox", has=tour.page.get_by_text("samples", exact=True)).last.locator(
        "input"
    )
    expect(samples).to_have_attribute("placeholder", "1")
    widget.get_by_role("button", name="paper", exact=True).click()
    expect(samples).to_have_attribute("placeholder", "40")
    samples.fill("many")
    samples.blur()
    widget.get_by_role("button", name="Start").click()
    expect(widget).to_contain_text("samples: a whole number")
    tour.shot("launcher-refuses", widget)


def test_opened_again_the_tour_shows_its_pictures(tour):
    tour.save_and_forget()
    tour.open("start_here.ipynb", kernel=False)
    for name, title in WIDGETS.items():
        picture = tour.page.locator("[id^=explore-]", has_text=title).first
        picture.scroll_into_view_if_needed()
        expect(picture).to_be_visible()
        tour.shot(f"{name}-opened-again", picture)
    tour.page.wait_for_timeout(3 * SECOND)  # what JupyterLab says of lost widgets comes late
    below = tour.page.locator(".jp-OutputArea-child:has([id^=explore-]) + .jp-OutputArea-child")
    assert below.count() >= len(WIDGETS)
    assert [one.inner_text() for one in below.all() if one.is_visible()] == []


TRAINING = """
import random
from workbench.explore import watch_training
from workbench.papers.haf_rm.setup import policy_folder
from workbench.models import EncodingSettings, ModelSettings, load_tokenizer
from workbench.datasets import PreferencePair
from workbench.training import RewardTrainingSettings, train_reward_model
policy = ModelSettings(str(policy_folder()), device="cpu")
prompt = "ana likes green , reads maps . what ana likes ?"
pairs = [PreferencePair(prompt, "ana likes green .", "ana reads maps .", "made")] * 64
settings = RewardTrainingSettings(epochs=10_000, micro_batch=16, log_steps=1, progress=False,
                                  encoding=EncodingSettings(template="{prompt}"))
training = watch_training(train_reward_model, policy, load_tokenizer(policy), pairs, settings, folder="trained")
"""


def test_a_long_training_is_stopped_with_a_checkpoint(lab, place):
    write(place, "long.ipynb", TRAINING, "trained = await training")
    lab.open("long.ipynb")
    lab.start_all()
    monitor = lab.widget("monitor")
    curves = monitor.locator(".js-plotly-plot .scatterlayer path.js-line")
    expect(curves.first).to_be_visible(timeout=120 * SECOND)
    drawn = curves.first.get_attribute("d")
    lab.page.wait_for_function(
        "([line, before]) => line.getAttribute('d') !== before", arg=[curves.first.element_handle(), drawn]
    )
    lab.shot("monitor-running", monitor)
    monitor.get_by_role("button", name="Stop").click()
    expect(monitor).to_contain_text(re.compile(r"stopped after step \d+ of 40000"), timeout=60 * SECOND)
    lab.shot("monitor-stopped", monitor)
    expect(lab.page.locator(".jp-OutputArea-output", has_text="TrainingStopped").first).to_be_visible()
    steps = int(re.search(r"stopped after step (\d+)", monitor.inner_text())[1])
    assert (place / "trained" / "checkpoints" / f"checkpoint-{steps}" / "complete.json").is_file()
    assert steps > 1
    lab.save_and_forget()
    lab.open("long.ipynb", kernel=False)
    expect(lab.page.locator("[id^=explore-]", has_text="stopped after step").first).to_be_visible()


def test_a_run_is_launched_watched_and_its_report_opened(lab, place):
    papers = place / "papers"
    papers.mkdir()
    write_notebook(papers, "small_one")
    write(
        place,
        "launch.ipynb",
        f"from workbench.explore import launch\nlaunch({str(papers)!r}, out='launched')",
    )
    lab.open("launch.ipynb")
    lab.run_all()
    widget = lab.widget("launcher")
    number = widget.locator(".widget-hbox", has=lab.page.get_by_text("n", exact=True)).last.locator("input")
    number.fill("5")
    number.blur()
    widget.get_by_role("button", name="Start").click()
    expect(widget.get_by_text("finished", exact=False).first).to_be_visible(timeout=120 * SECOND)
    lab.shot("launcher-finished", widget)
    widget.get_by_role("button", name="Show the report").click()
    frame = widget.frame_locator("iframe")
    expect(frame.get_by_role("heading", level=1)).to_be_visible(timeout=30 * SECOND)
    lab.shot("launcher-report", widget)
    assert '"n": 5' in (place / "launched" / "small_one" / "results.json").read_text()
