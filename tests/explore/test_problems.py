"""The problem browser: what it finds on disk, what it lets through, and an answer that is edited and run again."""

import json
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest

from workbench.core.errors import DataError, SandboxUnavailableError
from workbench.datasets import load_problems
from workbench.explore.attempts import Attempt, load_attempts
from workbench.explore.problem_browser import (
    Filter,
    _Browser,
    browse_problems,
    drawn,
    first_shown,
)
from workbench.explore.problem_page import attempt_page
from workbench.explore.rerun import Rerun, Workshop, drawing_program, figures_in
from workbench.generators import Answer
from workbench.papers.arks.browse import attempts_of_loop
from workbench.papers.ds1000.browse import attempts_of
from workbench.papers.ds1000.judgement import Judgement, digest
from workbench.retrieval.execution import Outcome
from workbench.sandbox import Verdict

PNG = b"\x89PNG\r\n"


@pytest.fixture(scope="module")
def problems():
    return load_problems("suite", libraries=["Numpy", "Matplotlib"])


def judged(problem, status="failed", message="NameError: no", line=1, code="x = 1"):
    return Judgement(
        problem.problem_id, 0, problem.library, problem.perturbation_type, status, "execution", message, line, True,
        digest(code), "key",
    )  # fmt: skip


@pytest.fixture(scope="module")
def attempts(problems):
    answers = [Answer(one.problem_id, 0, f"result = {k}") for k, one in enumerate(problems)]
    verdicts = [judged(one, "passed" if k == 0 else "failed") for k, one in enumerate(problems)]
    return attempts_of(problems, {"me": answers}, {"me": verdicts})


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_folder_of_score_is_read(tmp_path, problems):
    write(
        tmp_path / "answers.jsonl",
        [
            {
                "key": "k",
                "problem_id": problems[0].problem_id,
                "sample": 0,
                "code": code,
                "generator": "hf:a/me",
            }
            for code in ("not judged", "x = 1")
        ],
    )
    write(tmp_path / "verdicts.jsonl", [judged(problems[0]).row()])
    (tmp_path / "summary.json").write_text(
        json.dumps({"generator": "hf:me", "problem_set": {"source": "suite"}})
    )
    (one,) = load_attempts(tmp_path)
    assert (one.generator, one.answer, one.line, one.problem) == ("hf:me", "x = 1", 1, problems[0])


def test_a_run_is_read_whatever_its_steps_are_called_and_those_of_other_parameters_are_not(
    tmp_path, problems
):
    folder = tmp_path / "ds1000"
    steps = {}
    for who, old in (("recorded:b/a.jsonl", True), ("recorded:b/a.jsonl", False), ("hf:me/model", False)):
        code = f"{who} {old}"
        row = {"problem_id": problems[0].problem_id, "sample": 0, "code": code, "generator": who}
        asked, graded = (f"{what}{len(steps)}{old}" for what in ("asked", "graded"))
        write(folder / "steps" / asked / "answers.jsonl", [row])
        write(folder / "steps" / graded / "verdicts.jsonl", [judged(problems[0], code=code).row()])
        steps |= {} if old else {asked: {}, graded: {}}
    (folder / "timings.json").write_text(json.dumps({"steps": steps}))
    (folder / "results.json").write_text(json.dumps({"parameters": {"problems": "suite"}}))
    for source in (tmp_path, folder, SimpleNamespace(folder=folder)):
        found = {attempt.generator: attempt.answer for attempt in load_attempts(source)}
        assert found == {"recorded:a.jsonl": "recorded:b/a.jsonl False", "hf:model": "hf:me/model False"}


def test_a_folder_without_verdicts_is_refused(tmp_path):
    with pytest.raises(DataError, match="no judged answers in"):
        load_attempts(tmp_path)


def test_of_a_loop_the_last_program_counts():
    def step(number, ran, message=""):
        outcome = Outcome(ran, message, None if ran else 1)
        return SimpleNamespace(
            round=number, problem_id="p", prompt="asked", code=f"c{number}", outcome=outcome
        )

    steps = [step(0, False, "NameError"), step(1, True)]
    (right,) = attempts_of_loop(steps, {"p": True}, generator="g")
    assert (right.status, right.answer, right.kind, right.prompt) == ("passed", "c1", "round 1", "asked")
    (silent,) = attempts_of_loop(steps, {"p": False}, generator="g")
    assert (silent.status, silent.stage) == ("silent", "tests")
    (raised,) = attempts_of_loop(steps[:1], {}, generator="g")
    assert (raised.status, raised.message, raised.line) == ("failed", "NameError", 1)


def test_a_filter_lets_through_what_is_like_that(attempts):
    assert sum(map(Filter(status="passed").lets, attempts)) == 1
    assert all(one.library == "Numpy" for one in attempts if Filter(library="Numpy").lets(one))
    assert all(map(Filter().lets, attempts))


def test_it_begins_with_a_failure_that_has_a_line(attempts):
    assert first_shown(attempts).status == "failed"
    assert first_shown(attempts[:1]) is attempts[0]


def test_a_page_says_question_answer_reference_and_verdict(attempts):
    one = attempts[1]
    page = attempt_page(one)
    for words in (
        one.problem_id,
        "Question",
        "Answer (yellow",
        "Reference (blue",
        "failed",
        "in execution, line 1",
    ):
        assert words in page
    edited = attempt_page(one, rerun=Rerun("passed"), figures=([PNG], []))
    assert "Verdict after your edit" in edited and "✓ passed" in edited
    assert edited.count("<img") == 1 and "nothing" in edited


class Shop(Workshop):
    """Stands for a sandbox: an answer that says `right` passes."""

    def __init__(self):
        super().__init__(open_sandbox=lambda: None)
        self.ran = threading.Event()

    def run(self, problem, code):
        self.ran.set()
        if "boom" in code:
            raise SandboxUnavailableError("no Landlock", "Linux", "use Linux")
        return Rerun("passed" if "right" in code else "failed", message="" if "right" in code else "wrong")

    def figures(self, problem, code):
        return [PNG] if code else []


@pytest.fixture
def browser(attempts, monkeypatch):
    made = _Browser(attempts, Shop())
    monkeypatch.setattr(made, "_apart", lambda work, attempt: work(attempt))
    return made


def test_the_list_follows_the_filters(browser, attempts):
    assert browser.count.value == f"<span>1 of {len(attempts)} pass</span>"
    browser.filters["status"].value = "passed"
    assert browser.attempt is attempts[0]
    assert f"Problem {attempts[0].problem_id}<" in browser.page.value
    browser.filters["library"].value = "Numpy" if attempts[0].library != "Numpy" else "Matplotlib"
    assert browser.attempt is None and "No answer is like that" in browser.page.value


def test_arrows_go_round(browser):
    start = browser.chosen.value
    browser.before.click()
    browser.after.click()
    assert browser.chosen.value == start
    browser.chosen.value = len(browser.chosen.options) - 1
    browser.after.click()
    assert browser.chosen.value == 0


def test_an_edited_answer_is_run_again_and_reset(browser):
    own = browser.editor.value
    browser.editor.value = "the right one"
    browser.again.click()
    assert "Verdict after your edit" in browser.page.value and "✓ passed" in browser.says.value
    browser.reset.click()
    assert browser.editor.value == own and "after your edit" not in browser.page.value


def test_without_a_sandbox_running_again_says_why(browser):
    browser.editor.value = "boom"
    browser.again.click()
    assert "no Landlock" in browser.says.value
    assert not browser.again.disabled


def test_figures_come_for_matplotlib_alone(browser, attempts):
    plots = next(one for one in attempts if one.library == "Matplotlib")
    assert drawn(browser.shop, plots) == ([PNG], [PNG])
    assert drawn(browser.shop, next(one for one in attempts if one.library == "Numpy")) is None
    browser.filters["library"].value = "Matplotlib"
    assert "The reference draws" in browser.page.value


def test_figures_are_drawn_by_the_problems_own_context(problems, tmp_path):
    """Without a sandbox: the program draws a real problem's reference, here in this process's own Python."""
    import subprocess
    import sys

    problem = next(one for one in problems if one.library == "Matplotlib")
    program = drawing_program(problem, problem.reference_code + "\nplt.show()")
    words = [sys.executable, "-c", "import matplotlib; matplotlib.use('Agg')\n" + program]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=tmp_path)
    (figure,) = figures_in(done.stdout)
    assert figure.startswith(PNG)


def test_drawing_again_takes_what_was_drawn(problems):
    asked = []

    def run(program):
        asked.append(program)
        return Verdict("passed", stdout="workbench figure aGk=\n")

    shop = Workshop(open_sandbox=lambda: SimpleNamespace(run=run, close=lambda: None))
    problem = next(one for one in problems if one.library == "Matplotlib")
    assert shop.figures(problem, "a") == shop.figures(problem, "a") == [b"hi"]
    assert len(asked) == 1
    assert shop.figures(problem, " ") == []
    shop.close()


def test_in_a_script_it_says_what_it_would_show(attempts, capsys):
    browse_problems([one for one in attempts if one.library == "Numpy"])
    assert "Problem browser:" in capsys.readouterr().out


def test_attempts_without_their_problem_are_shown_but_not_run(monkeypatch):
    bare = Attempt("p", "g", 0, "", "round 0", "asked", "code", "", "failed")
    made = _Browser([bare], Shop())
    assert made.again.disabled
    assert "Reference" not in made.page.value


def test_a_problem_on_a_package_elsewhere_opens_a_sandbox_that_can_read_it(problems, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "outerlib.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path / "source"))
    opened = []

    def opening():
        opened.append(shop._runtime.modules)
        return SimpleNamespace(run=lambda program: Verdict("passed"), close=lambda: None)

    shop = Workshop(open_sandbox=opening)
    usual = problems[0]
    elsewhere = replace(usual, code_context="import outerlib\n" + usual.code_context)
    for one in (usual, usual, elsewhere, usual):
        shop.run(one, "import tmp_secret")
    assert opened == [(), (("outerlib.py", tmp_path / "source" / "outerlib.py"),)]
