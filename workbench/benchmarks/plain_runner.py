"""Runs graded programs without any sandbox, in the interpreter of a runtime: the benchmark's two yardsticks.

Standard library only. ``plain_runner.py one FILE INDEX`` runs one program and exits with 0 where it passed: the
authors' way, a new process a problem. ``plain_runner.py warm FILE`` imports what the programs import, then runs
all of them in this one process and prints what that took: the work that no harness can avoid.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import time


def run(program: dict) -> bool:
    """Run a program and its tests in this process, the authors' way."""
    tests: dict = {"__name__": "tests"}
    try:
        exec(program["tests"], tests)
        tests["test_execution"](program["code"])
        if "test_string" in tests:
            tests["test_string"](program["code"])
    except BaseException:  # a failing program may raise anything, SystemExit included
        return False
    return True


def _warm(programs: list[dict]) -> dict:
    for name in dict.fromkeys(name for program in programs for name in program["imports"]):
        try:
            importlib.import_module(name)
        except ImportError:
            pass
    passed, started, began = 0, time.perf_counter(), time.process_time()
    for program in programs:
        passed += run(program)
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None:
            pyplot.close("all")  # a new process would have no figures open
    wall_s = time.perf_counter() - started
    return {"passed": passed, "seconds": wall_s, "cpu_seconds": time.process_time() - began}


def main() -> None:
    mode, path = sys.argv[1], sys.argv[2]
    with open(path) as file:
        programs = json.load(file)
    output = os.dup(1)
    with open(os.devnull, "w") as null:
        os.dup2(null.fileno(), 1)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        if mode == "one":
            passed = run(programs[int(sys.argv[3])])
            os.chdir("/")
            sys.exit(0 if passed else 1)
        report = _warm(programs)
        os.chdir("/")
    os.write(output, json.dumps(report).encode())


if __name__ == "__main__":
    main()
