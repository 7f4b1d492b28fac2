"""What a machine lacks is said before a model is asked, and is never counted as a model's failure."""

import stat
import sys
import tempfile
from pathlib import Path

import pytest

from workbench.core.errors import RuntimeMissingError
from workbench.datasets.coding_problem import CodingProblem, HiddenTest, VisibleRun
from workbench.languages.toolchains import with_toolchains
from workbench.retrieval import Executor, KnowledgeSoup, active_retrieval
from workbench.retrieval.requirements import modules_of
from workbench.sandbox import Sandbox
from workbench.sandbox.installed import with_installed
from workbench.sandbox.runtimes import find_runtime

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")


def problem(context="[insert]", **fields):
    fields = {"hidden_tests": (HiddenTest(context),), "visible_runs": (VisibleRun(context),), **fields}
    return CodingProblem("q1", "?", library="ScipyM", **fields)


class Unasked:
    """A model that must not be asked."""

    name = fingerprint = "unasked"

    def complete(self, prompts):
        raise AssertionError("asked")

    as_known = complete


def package(folder, name, text):
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text(text)
    return folder


def test_modules_are_those_of_contexts_tests_and_benchmark_but_not_of_the_reference():
    one = problem(
        "import os\nimport newScience.sparse\n[insert]", modules=("jumptensor",), reference_code="import x"
    )
    assert modules_of([one]) == ["newScience.sparse", "jumptensor"]
    assert modules_of([CodingProblem("r", "?", (HiddenTest("[insert]"),), language="ring")]) == []


@pytest.mark.parametrize("where", ["context", "modules"])
def test_a_benchmark_whose_package_is_missing_is_refused_before_a_model_is_asked(where):
    asked = problem("import newScience\n[insert]") if where == "context" else problem(modules=("newScience",))
    with Sandbox(workers=1) as box, pytest.raises(RuntimeMissingError) as told:
        active_retrieval([asked], KnowledgeSoup(), Unasked(), box, progress=False)
    assert "newScience" in told.value.got
    assert "-e arks/updated_libraries/ScipyM" in told.value.fix and "git clone" in told.value.fix


def test_with_the_package_installed_beside_the_workbench_its_programs_run(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(package(tmp_path, "newScience", "def rank(x):\n    return sorted(x)\n")))
    asked = problem("import newScience\n[insert]")
    runtime = with_installed(find_runtime("main"), modules_of([asked]))
    with Sandbox(runtime, workers=1) as box:
        executor = Executor(box)
        executor.require([asked])
        assert executor.outcomes([(asked, "assert newScience.rank([2, 1]) == [1, 2]")])[0].ran


def test_a_module_that_the_benchmarks_package_lacks_in_turn_is_the_machines_trouble(tmp_path, monkeypatch):
    """Jumptensor imports tensorflow inside its functions: nothing tells before the first program runs."""
    lazy = "def tensor():\n    import absent_tensorflow\n"
    monkeypatch.syspath_prepend(str(package(tmp_path, "lazytensor", lazy)))
    asked = problem("import lazytensor\n[insert]", modules=("lazytensor",))
    runtime = with_installed(find_runtime("main"), modules_of([asked]))
    with Sandbox(runtime, workers=1) as box:
        executor = Executor(box)
        executor.require([asked])
        with pytest.raises(RuntimeMissingError, match="absent_tensorflow"):
            executor.outcomes([(asked, "lazytensor.tensor()")])


LIBRARY = """
def plain():
    return 1

def plainly_lacking():
    import absent_extra

def wrapped():
    try:
        import absent_extra
    except ModuleNotFoundError as fault:
        raise ImportError("install the extra") from fault

def unnamed():
    raise ImportError("install the extra")
"""


@pytest.mark.parametrize("call", ["plainly_lacking", "wrapped", "unnamed"])
@pytest.mark.parametrize("modules", [(), ("kitlib",)])
def test_an_optional_module_is_the_machines_lack_only_where_the_reference_ends_so_too(
    call, modules, tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(str(package(tmp_path, "kitlib", LIBRARY)))
    context = "import kitlib\n[insert]"
    without = problem(context, reference_code="kitlib.plain()", modules=modules)
    needing = problem(context, reference_code=f"x = kitlib.{call}()", modules=modules)
    runtime = with_installed(find_runtime("main"), modules_of([without]))
    with Sandbox(runtime, workers=1) as box:
        executor = Executor(box)
        executor.require([without])
        (outcome,) = executor.outcomes([(without, f"kitlib.{call}()")])
        assert not outcome.ran and "extra" in outcome.message
        assert executor.passed([(without, f"kitlib.{call}()")]) == [False]
        with pytest.raises(RuntimeMissingError, match="extra"):
            Executor(box).passed([(needing, f"kitlib.{call}()")])


def test_without_a_reference_a_library_that_an_answer_leads_astray_is_the_answers_failure(
    tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(str(package(tmp_path, "kitlib", LIBRARY)))
    asked = problem("import kitlib\n[insert]")
    runtime = with_installed(find_runtime("main"), modules_of([asked]))
    with Sandbox(runtime, workers=1) as box:
        (outcome,) = Executor(box).outcomes([(asked, "kitlib.plainly_lacking()")])
    assert not outcome.ran and "absent_extra" in outcome.message


@pytest.mark.parametrize(
    "code", ["import invented", "import json.invented", "raise ModuleNotFoundError('pandas')"]
)
def test_a_module_that_a_model_made_up_is_its_failure(code):
    asked = problem("import json\n[insert]")
    with Sandbox(workers=1) as box:
        (outcome,) = Executor(box).outcomes([(asked, code)])
    assert not outcome.ran and "ModuleNotFoundError" in outcome.message


def test_a_toolchain_outside_the_systems_folders_starts(monkeypatch):
    """Ponyup and Ring's own installer put theirs below the user's home."""
    place = tempfile.TemporaryDirectory()  # pytest's own is shut to the user that programs are below root
    Path(place.name).chmod(0o755)
    tool = Path(place.name) / "share" / "ring" / "bin" / "ring"
    tool.parent.mkdir(parents=True)
    tool.write_text("#!/bin/sh\ncat program.ring\n")
    tool.chmod(tool.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=":")
    asked = CodingProblem("q1", "?", (HiddenTest("[insert]", expected_stdout="see 1"),), language="ring")
    runtime = with_toolchains(find_runtime("main"), ["ring", "ring", "python"])
    assert with_toolchains(runtime, ["ring"]) is runtime
    with Sandbox(runtime, workers=1) as box:
        executor = Executor(box)
        executor.require([asked])
        assert executor.passed([(asked, "see 1")]) == [True]
    with Sandbox(workers=1) as shut, pytest.raises(RuntimeMissingError, match="cannot start ring"):
        Executor(shut).require([asked])
    place.cleanup()


def test_a_tool_that_starts_and_builds_nothing_is_refused_before_a_model_is_asked(monkeypatch):
    """A linker that may not write where it wants to: every answer failed, and nothing said why."""
    place = tempfile.TemporaryDirectory()
    Path(place.name).chmod(0o755)
    tool = Path(place.name) / "pony" / "bin" / "ponyc"
    tool.parent.mkdir(parents=True)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=":")
    asked = CodingProblem("q1", "?", (HiddenTest("[insert]", expected_stdout="built"),), language="pony")
    for does, works in (("echo 'unable to link' >&2; exit 1", False), ('cp "$0" program', True)):
        tool.write_text(f"#!/bin/sh\nif [ -f program ]; then echo built; exit; fi\n{does}\n")
        tool.chmod(0o755)
        with Sandbox(with_toolchains(find_runtime("main"), ["pony"]), workers=1) as box:
            if works:
                Executor(box).require([asked])
                assert Executor(box).passed([(asked, "actor Main")]) == [True]
                continue
            with pytest.raises(
                RuntimeMissingError, match="a right pony program does not run: unable to link"
            ):
                Executor(box).require([asked])
    place.cleanup()


def test_a_language_without_its_tool_is_refused_before_a_model_is_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    asked = CodingProblem("q1", "?", (HiddenTest("[insert]"),), language="pony")
    with Sandbox(workers=1) as box, pytest.raises(RuntimeMissingError, match="no `ponyc` on PATH"):
        active_retrieval([asked], KnowledgeSoup(), Unasked(), box, progress=False)


def test_a_module_that_is_there_but_closed_to_answers_is_no_lack():
    """A fresh library hides the package underneath from what a model writes; the tests themselves use it."""
    asked = problem("import json\nimport numpy\n[insert]")
    with Sandbox(workers=1) as box:
        (outcome,) = Executor(box).outcomes(
            [(asked, "raise ModuleNotFoundError(\"No module named 'numpy'\")")]
        )
    assert not outcome.ran and "numpy" in outcome.message
