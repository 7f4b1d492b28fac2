"""The pool: verdicts as values, order, laziness, restarts, graded programs, nothing left behind."""

# ruff: noqa: E501 (programs stand as they are run)

from __future__ import annotations

import itertools
import os
import threading
from pathlib import Path

import pytest

from workbench.core.errors import RuntimeMissingError, SandboxUnavailableError, SettingsError
from workbench.sandbox import Limits, Program, Sandbox, isolation
from workbench.sandbox.inside.processes import children, family
from workbench.sandbox.isolation import check

try:
    check("sandlock")
except Exception as error:  # the reason is shown with every skip
    pytest.skip(f"programs cannot be isolated here: {error}", allow_module_level=True)

TESTS = """
exec_context = '''
a, b = test_input
[insert]
'''

def generate_test_case(test_case_id):
    test_input = (test_case_id, 10)
    return test_input, test_case_id * 10

def exec_test(result, ans):
    return result == ans

def test_execution(solution):
    code = exec_context.replace("[insert]", solution)
    for i in range(3):
        test_input, expected_result = generate_test_case(i + 1)
        test_env = {"test_input": test_input}
        exec(code, test_env)
        assert exec_test(test_env["result"], expected_result)
"""
SURFACE = TESTS + "\ndef test_string(solution):\n    assert 'sum' in solution, 'use sum'\n"


@pytest.fixture(scope="module")
def box():
    with Sandbox(workers=2, timeout_s=5, memory_bytes=2**29) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def patient_box():
    with Sandbox(workers=1, timeout_s=120, memory_bytes=2**29) as sandbox:
        yield sandbox


def test_a_program_that_runs_to_its_end_passes_with_its_output(box):
    verdict = box.run("import sys\nprint(6 * 7)\nprint('oh', file=sys.stderr)")
    assert (verdict.status, verdict.message, verdict.line) == ("passed", "", None)
    assert (verdict.stdout, verdict.stderr) == ("42\n", "oh\n")
    assert verdict.passed
    assert 0 < verdict.seconds < 5
    assert verdict.peak_memory_bytes > 2**20


@pytest.mark.parametrize(
    ("code", "message", "line"),
    [
        ("x = 1\n1 / 0", "ZeroDivisionError: division by zero", 2),
        ("def f():\n    raise KeyError('k')\n\nf()", "KeyError: 'k'", 2),
        ("x = (", "'(' was never closed", 1),
        ("import sys\nsys.exit(0)", "ended the interpreter early (exit code 0)", 2),
        ("import os\nos._exit(0)", "ended the interpreter early (exit code 0)", None),
    ],
)
def test_a_program_that_fails_says_why_and_where(box, code, message, line):
    verdict = box.run(code)
    assert verdict.status == "failed"
    assert message in verdict.message
    assert verdict.line == line


def test_a_traceback_starts_in_the_program(box):
    stderr = box.run("def f():\n    1 / 0\nf()").stderr
    assert stderr.splitlines()[1].strip() == 'File "<program>", line 3, in <module>'


def test_standard_input_is_handed_over(box):
    assert box.run(Program("print(input()[::-1])", stdin="abc\n")).stdout == "cba\n"


def test_the_program_is_the_main_module(box):
    assert box.run("assert __name__ == '__main__'\nimport __main__\nx = 3\nassert __main__.x == 3").passed


def test_verdicts_come_in_the_order_of_the_programs(box):
    programs = [f"import time; time.sleep({0.2 if n % 3 == 0 else 0}); print({n})" for n in range(12)]
    assert [int(verdict.stdout) for verdict in box.map(programs)] == list(range(12))


def test_map_takes_programs_as_it_needs_them(box):
    taken = itertools.count()
    verdicts = box.map(f"print({next(taken)})" for _ in itertools.count())
    assert next(verdicts).stdout == "0\n"
    assert next(taken) <= 16 * box.workers
    verdicts.close()


def test_verdicts_as_they_are_known_wait_for_nobody(box):
    slow, many = "import time; time.sleep(2); print('slow')", [f"print({n})" for n in range(40)]
    known = list(box.as_judged([slow, *many]))
    assert {position: verdict.stdout for position, verdict in known} == {
        0: "slow\n",
        **{n + 1: f"{n}\n" for n in range(40)},
    }
    assert known[0][0] != 0


def test_no_more_programs_run_at_a_time_than_there_are_workers():
    stamp = "import time; start = time.monotonic(); time.sleep(0.1); print(start, time.monotonic())"
    with Sandbox(workers=2) as box:
        spans = [tuple(map(float, verdict.stdout.split())) for verdict in box.map([stamp] * 8)]
    for start, _ in spans:
        assert sum(other <= start < end for other, end in spans) <= 2


@pytest.mark.parametrize(
    ("code", "status", "message", "stage"),
    [
        ("result = a * b", "passed", "", None),
        ("result = a + b", "failed", "wrong in test 1", "execution"),
        ("result = 10 if a == 1 else 0", "failed", "wrong in test 2", "execution"),
        ("x = 1\nresult = c", "failed", "NameError: name 'c' is not defined", "execution"),
        ("answer = a * b", "failed", "the program leaves no variable 'result'", "execution"),
        ("import os; os._exit(0)", "failed", "ended the interpreter early (exit code 0)", "execution"),
        ("result = lambda: a", "failed", "the result cannot leave the program", "execution"),
        ("while True: pass", "timeout", "still running after 5 s", "execution"),
    ],
)
def test_a_graded_program_is_judged_by_its_tests(box, code, status, message, stage):
    verdict = box.run(Program(code, tests=TESTS))
    assert (verdict.status, verdict.stage) == (status, stage)
    assert message in verdict.message
    assert verdict.split


def test_the_line_is_the_line_of_the_solution(box):
    assert box.run(Program("x = 1\n\nresult = c", tests=TESTS)).line == 3


def test_surface_form_is_told_from_execution(box):
    assert box.run(Program("result = sum([a] * b)", tests=SURFACE)).passed
    verdict = box.run(Program("result = a * b", tests=SURFACE))
    assert (verdict.status, verdict.stage) == ("failed", "surface")
    assert "use sum" in verdict.message


def test_tests_that_do_not_load_are_the_benchmarks_fault(box):
    verdict = box.run(Program("result = 1", tests="import no_such_module"))
    assert (verdict.status, verdict.stage) == ("failed", "tests")


def test_a_program_that_is_not_split_is_marked(box):
    verdict = box.run(Program("result = a * b", tests=TESTS, split=False))
    assert verdict.passed
    assert not verdict.split


def test_the_solution_never_holds_the_tests(box):
    spy = (
        "import gc, sys\n"
        "texts = [o for o in gc.get_objects() if isinstance(o, dict) and 'expected_result' in o]\n"
        "frame, seen = sys._getframe(), []\n"
        "while frame: seen += list(frame.f_locals) + list(frame.f_globals); frame = frame.f_back\n"
        "assert not texts and 'expected_result' not in seen and 'generate_test_case' not in seen\n"
        "result = a * b"
    )
    assert box.run(Program(spy, tests=TESTS)).passed


def test_a_zygote_that_dies_costs_its_program_and_is_replaced():
    with Sandbox(workers=2, timeout_s=5) as box:
        assert box.run("pass").passed
        (zygote,) = box._zygotes.values()
        slow = "import time; time.sleep(0.5); print('done')"
        killer = threading.Timer(0.2, os.kill, (zygote._process.pid, 9))
        killer.start()
        verdicts = list(box.map([slow, slow]))
        assert [verdict.stdout for verdict in verdicts] == ["done\n"] * 2  # asked again, each by itself
        assert box.run("print(1)").stdout == "1\n"


def test_what_children_import_lazily_is_imported_for_the_next(box):
    look = "import sys; print('numpy.f2py' in sys.modules)"
    # through importlib, so that the name is not read from the program's text
    lazily = "import importlib; importlib.import_module('numpy.f2py')"
    verdicts = [box.run(Program(code, group="lazy")) for code in ("import numpy", look, lazily, look)]
    assert [verdict.stdout for verdict in verdicts] == ["", "False\n", "", "True\n"]


def test_sets_have_the_same_order_in_every_pool(box):
    code = "print(list({'one', 'two', 'three', 'four', 'five'}))"
    with Sandbox(workers=1) as other:
        assert other.run(code).stdout == box.run(code).stdout


def test_a_closed_pool_leaves_nothing_behind():
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    with Sandbox(workers=2) as box:
        root = box._root
        assert all(verdict.passed for verdict in box.map(["open('x', 'w').write('x')"] * 20))
        assert box.scratch_folders() == 0
        pids = [zygote._process.pid for zygote in box._zygotes.values()]
    assert not root.exists()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


def test_a_pool_closed_with_programs_on_their_way_starts_nothing_more():
    """Programs that waited for their turn found it when their predecessors were killed, and started a zygote anew."""

    def children() -> set[str]:
        return {
            pid for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()
        }

    before = children()
    box = Sandbox(workers=2, timeout_s=60)
    # Four threads wait for two turns, in any order: three short programs, so that one of them has a turn for sure.
    known = box.as_judged([*["pass"] * 3, *["import time; time.sleep(50)"] * 12])
    position, verdict = next(known)
    assert position < 3
    assert verdict.status == "passed"
    box.close()
    box.warm("", ["json"])
    assert children() == before
    assert not box._root.exists()


def test_a_closed_pool_says_so():
    box = Sandbox(workers=1)
    rest = box.map(["print(1)"] * 40)
    assert next(rest).stdout == "1\n"
    box.close()
    for use in (
        lambda: box.run("pass"),
        lambda: list(box.map(["pass"])),
        lambda: list(box.as_judged(["pass"])),
        lambda: next(rest),
    ):
        with pytest.raises(SandboxUnavailableError, match="a sandbox that is closed"):
            use()
    box.warm("", ["json"])
    box.close()


def test_programs_in_flight_when_a_pool_is_closed_get_no_verdict():
    box = Sandbox(workers=1, timeout_s=60)
    box.run("pass")
    threading.Timer(0.3, box.close).start()
    with pytest.raises(SandboxUnavailableError, match="a sandbox that is closed"):
        box.run("import time; time.sleep(50)")


def test_a_forks_copy_of_a_pool_says_so_and_leaves_the_pool_alone():
    reader, writer = os.pipe()
    with Sandbox(workers=1) as box:
        rest = box.map(["pass"] * 40)
        next(rest)
        pid = os.fork()
        if pid == 0:
            said = []
            for use in (lambda: box.run("pass"), lambda: list(box.as_judged(["pass"])), lambda: next(rest)):
                try:
                    use()
                except SandboxUnavailableError as error:
                    said.append("in a fork of it" in str(error))
            box.close()
            os.write(writer, repr(said).encode())
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert os.read(reader, 100) == b"[True, True, True]"
        assert box.run("print(1)").stdout == "1\n"
    os.close(reader)
    os.close(writer)


def test_processes_that_a_program_leaves_are_gone_with_its_verdict_and_waited_for(box):
    leave = "import os, time\nfor _ in range(10):\n    if os.fork() == 0:\n        if os.fork() == 0:\n            time.sleep(600)\n        os._exit(0)\n"
    assert box.run(leave).passed
    for zygote in box._zygotes.values():
        below = family(children(zygote._process.pid))
        commands = [Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") for pid in below]
        assert all(
            b"graders" in command for command in commands
        )  # no program: what their graders are forked from
        assert len(below) <= 1


@pytest.mark.parametrize(
    "honest",
    [
        "import time\nfor _ in range(6):\n    rest = b'x' * (300 << 20)\n    time.sleep(0.1)\n    del rest\n",
        "import os, time\nopen('a', 'wb').write(bytes(100 << 20))\nfor n in range(8):\n    os.link('a', str(n))\ntime.sleep(0.5)\n",
        "import os, threading, time\nfor _ in range(4):\n    if os.fork() == 0:\n        threads = [threading.Thread(target=time.sleep, args=(0.4,)) for _ in range(6)]\n        for thread in threads: thread.start()\n        for thread in threads: thread.join()\n        os._exit(0)\nfor _ in range(4): assert os.wait()[1] == 0\n",
        "import os, time\nrest = b'x' * (200 << 20)\nfor _ in range(6):\n    if os.fork() == 0:\n        time.sleep(0.5)\n        os._exit(0)\nfor _ in range(6): os.wait()\n",
        "import subprocess, sys\nothers = [subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(0.5)']) for _ in range(5)]\nassert [other.wait() for other in others] == [0] * 5\n",
        "import numpy, os, time\nrest = numpy.memmap('f', dtype='u1', mode='w+', shape=20 << 20)\nrest[:] = 1\nos.unlink('f')\ntime.sleep(0.5)\n",
    ],
    ids=[
        "waves",
        "hard-links",
        "threads-in-children",
        "shared-by-children",
        "interpreters",
        "removed-while-mapped",
    ],
)
def test_honest_programs_stay_within_their_limits(patient_box, honest):
    verdict = patient_box.run(honest)
    assert verdict.passed, verdict


def test_folders_of_killed_pools_are_cleared_away(tmp_path, monkeypatch):
    from workbench.sandbox import scratch

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead = tmp_path / "workbench-sandbox-99999999-abc"
    (dead / "0").mkdir(parents=True)
    alive = tmp_path / f"workbench-sandbox-{os.getpid()}-abc"
    alive.mkdir()
    scratch.make_root()
    assert not dead.exists()
    assert alive.exists()


def test_all_limits_that_make_no_sense_are_named_at_once():
    with pytest.raises(SettingsError, match=r"timeout_s=0.*memory_bytes=-1"):
        Limits(timeout_s=0, memory_bytes=-1)


def test_a_pool_without_workers_is_refused():
    with pytest.raises(SettingsError, match="workers=0"):
        Sandbox(workers=0)


def test_an_unknown_runtime_is_refused():
    with pytest.raises((RuntimeMissingError, SettingsError), match="ds10000"):
        Sandbox(runtime="ds10000")


def test_imports_are_read_from_program_and_tests_in_order():
    program = Program("import a.b as c, d\nfrom e.f import g", tests="if 1:\n    import h\nimport d")
    assert program.imports() == ["a.b", "d", "e.f", "h"]


def test_only_existing_paths_are_made_readable(tmp_path):
    listed = isolation.readable_paths([str(tmp_path), str(tmp_path / "none")])
    assert str(tmp_path) in listed
    assert str(tmp_path / "none") not in listed
