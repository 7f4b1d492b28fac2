"""Programs are run once each, in the warm process of what their problem imports; a sandbox that counts stands in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from workbench.datasets.coding_problem import CodingProblem, HiddenTest, VisibleRun
from workbench.retrieval import KnowledgeSoup, active_retrieval
from workbench.retrieval.execution import Executor
from workbench.sandbox import Program, Verdict
from workbench.sandbox.program import Limits


class CountingSandbox:
    """Keeps what it is given; a program with `bad` in it fails."""

    runtime, limits, isolation = SimpleNamespace(name="main", modules=()), Limits(), "none"

    def __init__(self) -> None:
        self.programs: list[Program] = []

    def map(self, programs: Iterable[Program]) -> Iterator[Verdict]:
        for program in programs:
            self.programs.append(program)
            failed = "bad" in program.code
            yield Verdict("failed", "NameError: bad") if failed else Verdict("passed", stdout="hidden")


def problem(name: str = "p", context: str = "[insert]", library: str = "knot") -> CodingProblem:
    return CodingProblem(
        name,
        "?",
        hidden_tests=(HiddenTest(f"hidden = 1\n{context}", expected_stdout="hidden"),),
        visible_runs=(VisibleRun(context),),
        library=library,
    )


def test_the_same_code_for_the_same_tests_is_run_once() -> None:
    box = CountingSandbox()
    executor = Executor(cast(Any, box))
    found = executor.outcomes([(problem("p"), "good"), (problem("q"), "good"), (problem("r"), "bad")])
    assert [one.ran for one in found] == [True, True, False]
    assert executor.passed([(problem("p"), "good"), (problem("q"), "good")]) == [True, True]
    executor.outcomes([(problem("p"), "good")])
    assert [program.code for program in box.programs] == ["good", "bad", "hidden = 1\ngood"]


def test_executors_share_a_file_while_both_are_at_work(tmp_path: Path) -> None:
    boxes = [CountingSandbox(), CountingSandbox()]
    first, second = (Executor(cast(Any, box), tmp_path / "outcomes.jsonl") for box in boxes)
    assert first.outcomes([(problem(), "bad")]) == second.outcomes([(problem(), "bad")])
    assert [len(box.programs) for box in boxes] == [1, 0]
    first.close()
    second.close()


def test_hidden_tests_of_a_program_that_raises_are_not_run() -> None:
    class Model:
        name = fingerprint = "scripted"

        def complete(self, prompts: Sequence[str]) -> list[str]:
            return ["```\nbad\n```" if "worse" in prompt else "```\ngood\n```" for prompt in prompts]

        def count_tokens(self, text: str) -> int:
            return len(text)

    box = CountingSandbox()
    raising = CodingProblem("q", "worse", (HiddenTest("hidden = 1\n[insert]"),), library="knot")
    result = active_retrieval(
        [problem(), raising], KnowledgeSoup(), Model(), cast(Any, box), rounds=1, progress=False
    )
    assert result.final() == {"p": True, "q": False}
    assert [program.code for program in box.programs if "hidden" in program.code] == ["hidden = 1\ngood"]


def test_a_library_has_a_warm_process_of_its_own_only_where_it_is_imported() -> None:
    box = CountingSandbox()
    Executor(cast(Any, box)).outcomes(
        [
            (problem("a", "import scipy\n[insert]", "scipy"), "x = 1"),
            (problem("b", "import itertools\ndef zumi(x): ...\n[insert]", "ravo"), "x = 1"),
            (problem("c", "def zumi(x): ...\n[insert]", "ravo"), "import math"),
        ]
    )
    assert [program.group for program in box.programs] == ["scipy", "", ""]
