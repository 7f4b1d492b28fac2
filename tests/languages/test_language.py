"""Languages: programs really run, what compilers said as recorded, and errors that are not the program's."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.errors import RuntimeMissingError, SettingsError
from workbench.languages import LANGUAGES, ErrorLocation, Language, find_language
from workbench.sandbox import Sandbox, Verdict
from workbench.sandbox.runtimes import Runtime, find_runtime

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")

# A shell is a compiler that every machine has: it 'builds' by copying and fails with a located message.
SHELL = Language(
    name="shell",
    fence="sh",
    comment="#",
    file_name="program.sh",
    error=r"program\.sh: (?:line )?(?P<line>[0-9]{1,9}): (?P<message>.*)$",
    build=("sh", "-n", "program.sh"),
    command=("sh", "program.sh"),
    install="install a shell",
)

PONY_FAILED = """Building builtin -> /usr/local/lib/pony/0.58.0/packages/builtin
Building . -> /home/somebody/program
Error:
/home/somebody/program/main.pony:3:5: can't find declaration of 'Envy'
    Envy.out.print("x")
    ^
Error:
/home/somebody/program/main.pony:7:14: syntax error: unexpected token
"""
RING_COMPILER = """program.ring errors count : 1
Line (2) Error (C8) : Parentheses ')' is missing
"""
RING_RUNTIME = """
Line 5 Error (R24) : Using uninitialized variable: total
in file program.ring
"""


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    runtime = SHELL.prepare(find_runtime("main"))
    with Sandbox(runtime=runtime, workers=1) as sandbox:
        yield sandbox


def run(language: Language, source: str, box: Sandbox, stdin: str = "") -> Verdict:
    return language.judged(box.run(language.program(source, stdin=stdin)))


@LINUX
def test_python_program(box: Sandbox) -> None:
    assert run(find_language("python"), "print(input())", box, stdin="3\n").stdout == "3\n"
    verdict = run(find_language("Python"), "x = 1\n1 / 0\n", box)
    assert (verdict.status, verdict.line, verdict.message) == (
        "failed",
        2,
        "ZeroDivisionError: division by zero",
    )


@LINUX
@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("(defn f [x] (/ x 0))\n(print 1)\n(f 3)\n", 1, "ZeroDivisionError: division by zero"),
        ("(print 1)\n(print (foo-bar 1))", 2, "NameError: name 'foo_bar' is not defined"),
        ("(print 1)\n(print (+ 1 2)", 2, "hy.PrematureEndOfInput: Premature end of input"),
        ("(import sys)\n\n(setv x 1 2 3)", 3, "hy.errors.HySyntaxError: Can't assign"),
        ("(import hy)\n(import nothing)", 2, "ModuleNotFoundError: No module named 'nothing'"),
    ],
)
def test_hy_program_that_fails_says_its_own_line(source: str, line: int, message: str, box: Sandbox) -> None:
    verdict = run(find_language("hy"), source, box)
    assert (verdict.status, verdict.line) == ("failed", line)
    assert verdict.message.startswith(message)


@LINUX
def test_hy_program_reads_input_and_prints(box: Sandbox) -> None:
    source = '(setv words (.split (input)))\n(print (sum (map int words)))\n(print "ü𝄞")'
    verdict = run(find_language("hy"), source, box, stdin="1 2 39\n")
    assert verdict.passed, verdict
    assert verdict.stdout == "42\nü𝄞\n"


@LINUX
def test_hy_program_is_confined_like_any_other(box: Sandbox) -> None:
    verdict = run(find_language("hy"), f'(import os)\n(os.listdir "{Path.home()}")', box)
    assert (verdict.status, verdict.line) == ("failed", 2)
    assert "PermissionError" in verdict.message


@LINUX
def test_hy_ends_with_an_exit_status(box: Sandbox) -> None:
    verdict = run(find_language("hy"), "(import sys)\n(sys.exit 3)", box)
    assert (verdict.status, verdict.line) == ("failed", None)
    assert "exit code 3" in verdict.message


@LINUX
def test_command_gets_the_input_and_prints_the_output(box: Sandbox) -> None:
    verdict = run(SHELL, "read name; echo hello $name", box, stdin="world\n")
    assert verdict.passed, verdict
    assert verdict.stdout == "hello world\n"  # what the build said is not the program's output


@LINUX
def test_program_finds_its_input_in_a_file_and_leaves_its_output_in_one(box: Sandbox) -> None:
    filed = replace(SHELL, input_file="input.txt", output_file="outputs/output.txt")
    verdict = run(filed, "echo first; tr a-z A-Z < input.txt > outputs/output.txt", box, stdin="word\n")
    assert verdict.stdout == "first\nWORD\n", verdict
    assert run(filed, "echo none left", box).stdout == "none left\n"


@LINUX
def test_failing_command_is_located(box: Sandbox) -> None:
    verdict = run(SHELL, "echo one\nnothing_of_the_kind\nexit 4", box)
    assert (verdict.status, verdict.line, verdict.stdout) == ("failed", 2, "one\n")
    assert "nothing_of_the_kind" in verdict.message


@LINUX
def test_failing_build_is_located_and_runs_nothing(box: Sandbox) -> None:
    verdict = run(SHELL, "echo one\nif\n", box)
    assert (verdict.status, verdict.stdout) == ("failed", "")
    assert verdict.line in (2, 3)  # shells differ in which they name


@LINUX
@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_compilers_find_a_folder_for_their_temporary_files(box: Sandbox) -> None:
    """Run by root, gcc once found no such folder: its real user id was a stranger's, and its TMPDIR gone."""
    c = replace(
        SHELL, name="c", file_name="p.c", build=("cc", "p.c", "-o", "program"), command=("./program",),
        error=r"p\.c:(?P<line>[0-9]+):(?P<column>[0-9]+): (?P<message>.*)$",
    )  # fmt: skip
    assert run(c, '#include <stdio.h>\nint main() { puts("hi"); return 0; }\n', box).stdout == "hi\n"
    verdict = run(c, "int main() {\n  return zero;\n}\n", box)
    assert (verdict.status, verdict.line) == ("failed", 2)


@LINUX
@pytest.mark.parametrize("name", ["ring", "pony"])
def test_real_compiler_where_there_is_one(name: str) -> None:
    language = find_language(name)
    if language.tool_path() is None:
        pytest.skip(f"no {language.tool} on PATH")
    hello = {
        "ring": 'see "hello" + nl',
        "pony": 'actor Main\n  new create(env: Env) =>\n    env.out.print("hello")\n',
    }
    with Sandbox(runtime=language.prepare(find_runtime("main")), workers=1, timeout_s=60) as box:
        assert run(language, hello[name], box).stdout.strip() == "hello"
        failed = run(language, hello[name] + "\n)", box)
        assert failed.status == "failed"
        assert failed.line is not None


@pytest.mark.parametrize(
    ("name", "output", "expected"),
    [
        ("pony", PONY_FAILED, ErrorLocation(3, 5, "can't find declaration of 'Envy'")),
        ("ring", RING_COMPILER, ErrorLocation(2, None, "Error (C8) : Parentheses ')' is missing")),
        ("ring", RING_RUNTIME, ErrorLocation(5, None, "Error (R24) : Using uninitialized variable: total")),
    ],
)
def test_location_in_recorded_output(name: str, output: str, expected: ErrorLocation) -> None:
    verdict = Verdict("failed", "the program ended the interpreter early (exit code 1)", stdout=output)
    assert find_language(name).location(verdict) == expected
    judged = find_language(name).judged(verdict)
    assert (judged.line, judged.message) == (expected.line, expected.message)


def test_ring_fails_by_what_it_prints() -> None:
    """`ring` ends with status 0 after an error at run time."""
    judged = find_language("ring").judged(Verdict("passed", stdout=RING_RUNTIME))
    assert (judged.status, judged.line) == ("failed", 5)
    assert find_language("ring").judged(Verdict("passed", stdout="Line up\n")).passed


def test_failure_without_a_location_keeps_what_was_said() -> None:
    verdict = Verdict(
        "failed", "the program ended the interpreter early (exit code 1)", stderr="link error\n"
    )
    judged = find_language("pony").judged(verdict)
    assert (judged.status, judged.line, judged.message) == ("failed", None, "link error")
    limit = Verdict("timeout", "still running after 10 s", line=7)
    assert find_language("pony").judged(limit) == replace(limit, line=None)


@given(st.sampled_from(sorted(LANGUAGES)), st.text(), st.text(), st.text())
@settings(max_examples=200, deadline=None)
def test_wild_output_is_survived(name: str, message: str, out: str, err: str) -> None:
    location = find_language(name).location(Verdict("failed", message, 1, out, err))
    assert location is None or (location.line >= 0 and isinstance(location.message, str))


@given(
    st.sampled_from(
        [
            ("ring", "Line ({}) Error (C1) : {}"),
            ("ring", "Line {} Error (R1) : {}"),
            ("pony", "main.pony:{}:4: {}"),
        ]
    ),
    st.integers(0, 10**8),
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1),
    st.text(),
)
@settings(max_examples=200, deadline=None)
def test_error_line_is_found_among_wild_text(form: tuple[str, str], line: int, said: str, after: str) -> None:
    name, text = form
    location = find_language(name).location(Verdict("failed", stdout=f"{text.format(line, said)}\n{after}"))
    assert location is not None
    assert location.line == line
    assert location.message.endswith(said[-50:])


def test_missing_tool_is_not_an_outcome(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("ring", "pony"):
        with pytest.raises(RuntimeMissingError, match="on PATH"):
            find_language(name).program("x")
        with pytest.raises(RuntimeMissingError, match="on PATH"):
            find_language(name).prepare(find_runtime("main"))


def test_prepare_opens_the_folder_above_bin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = tmp_path / "pony" / "bin" / "ponyc"
    tool.parent.mkdir(parents=True)
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    runtime = Runtime("main", Path(sys.executable), ("/usr",))
    assert find_language("pony").prepare(runtime).readable == ("/usr", str(tmp_path.resolve() / "pony"))
    assert find_language("hy").prepare(runtime) is runtime


@pytest.mark.parametrize("place", ["bin", ".local/bin"])
def test_prepare_never_opens_a_users_home(
    place: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tool = tmp_path / place / "ponyc"
    tool.parent.mkdir(parents=True)
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    runtime = Runtime("main", Path(sys.executable), ("/usr",))
    assert find_language("pony").prepare(runtime).readable == ("/usr", str(tool.parent.resolve()))


@LINUX
def test_tool_out_of_the_programs_reach_is_not_an_outcome(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, box: Sandbox
) -> None:
    tool = tmp_path / "ring"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    verdict = box.run(find_language("ring").program("see 1"))
    with pytest.raises(RuntimeMissingError, match="cannot start ring"):
        find_language("ring").judged(verdict)


def test_missing_package_is_not_an_outcome() -> None:
    verdict = Verdict("failed", "ModuleNotFoundError: No module named 'hy'", 5)
    with pytest.raises(RuntimeMissingError, match="no package hy"):
        find_language("hy").judged(verdict)


def test_unknown_language() -> None:
    with pytest.raises(SettingsError, match="'poni'") as caught:
        find_language("poni")
    assert "did you mean 'pony'" in caught.value.fix


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"error": "("}, "a regular expression"),
        ({"error": "x"}, "a group `line`"),
        ({"runner": "pass"}, "one of them"),
        ({"command": ()}, "the command that runs what was built"),
    ],
)
def test_adapter_is_checked_when_built(changes: dict, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        replace(SHELL, **changes)
