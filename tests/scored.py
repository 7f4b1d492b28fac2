"""Hand-made problems, judgements and a sandbox that runs nothing, for the tests of scoring."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from types import SimpleNamespace

from workbench.datasets import Problem
from workbench.papers.ds1000.judgement import Judgement
from workbench.sandbox import Limits, Program, Verdict

SURFACE_TEST = "def test_string(solution):\n    pass\n"


def problem(
    number: int, kind: str = "Origin", origin: int | None = None, library: str = "Numpy", surface=False
):
    return Problem(
        number, library, number, kind, number if origin is None else origin, 1, f"Question {number}",
        "result = 1", f"# tests of {number}\n{SURFACE_TEST if surface else ''}",
    )  # fmt: skip


def judged(of: Problem, status: str = "passed", sample: int = 0, stage: str | None = None) -> Judgement:
    if stage is None and status not in ("passed", "skipped"):
        stage = "execution"
    return Judgement(
        of.problem_id, sample, of.library, of.perturbation_type, status, stage, "", None, True, "0", "0"
    )


class PlainSandbox:
    """Passes each program whose code is `good`, and remembers what it was asked; it has no TensorFlow."""

    limits = Limits(timeout_s=5.0)
    isolation = "sandlock"

    def __init__(self, missing: tuple[str, ...] = ("tensorflow",), stop_after: int | None = None) -> None:
        self.runtime = SimpleNamespace(name="main", modules=())
        self.missing, self.stop_after = missing, stop_after
        self.data: list[list] = []
        self.asked: list[Program] = []
        self.warmed: list[str] = []

    def run(self, program: str) -> Verdict:
        return Verdict(
            "passed",
            stdout=json.dumps({"versions": {"python": "3"}, "missing": self.missing, "data": self.data}),
        )

    def warm(self, group: str, imports: Iterable[str]) -> None:
        self.warmed.append(group)

    def as_judged(self, programs: Iterable[Program]) -> Iterator[tuple[int, Verdict]]:
        for position, program in enumerate(programs):
            if len(self.asked) == self.stop_after:
                raise KeyboardInterrupt
            self.asked.append(program)
            if program.code == "good":
                yield position, Verdict("passed")
            else:
                message = f"no {program.code} at 0x7f00deadbeef"
                yield position, Verdict("failed", message, line=1, stage="execution")
