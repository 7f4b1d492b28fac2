"""The Hub: found, missing, gated, cut off midway and out of reach, against a server on loopback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hub_server import HubServer, Repository

CARD = b"---\nlicense: cc0-1.0\n---\n# A dataset\n"
ROWS = b"".join(b'{"number": %d, "text": "line %d"}\n' % (i, i) for i in range(2000))

# All cases run in one process, since importing `datasets` takes longer than they do. Nor do retries wait.
PROGRAM = """
import json, os, sys, time
time.sleep = lambda seconds: None
from workbench.datasets import hub
from workbench.core.errors import DataError

def outcome(call):
    try:
        return call()
    except DataError as error:
        return {"got": error.got, "needed": error.needed, "fix": error.fix}

results = {
    "split": outcome(lambda: hub.load_split("lab/found", "test")[1999]),
    "file": outcome(lambda: hub.fetch_file("lab/found", "docs/pages.txt").read_text()),
    "missing": outcome(lambda: hub.load_split("lab/missing", "test")[0]),
    "missing file": outcome(lambda: str(hub.fetch_file("lab/found", "no.txt"))),
    "unknown split": outcome(lambda: hub.load_split("lab/found", "validation")[0]),
    "empty": outcome(lambda: hub.load_split("lab/empty", "test")[0]),
    "gated": outcome(lambda: hub.load_split("lab/gated", "test")[0]),
    "gated file": outcome(lambda: str(hub.fetch_file("lab/gated", "test.jsonl"))),
    "cut": outcome(lambda: hub.load_split("lab/cut", "test")[0]),
    "cut file": outcome(lambda: str(hub.fetch_file("lab/cut", "test.jsonl"))),
    "broken": outcome(lambda: hub.load_split("lab/broken", "test")[0]),
}
print(json.dumps(results))
"""

REPOSITORIES = {
    "lab/found": Repository({"README.md": CARD, "test.jsonl": ROWS, "docs/pages.txt": b"a page"}),
    "lab/empty": Repository({"README.md": CARD}),
    "lab/gated": Repository({"README.md": CARD, "test.jsonl": ROWS}, gated=True),
    "lab/cut": Repository({"README.md": CARD, "test.jsonl": ROWS}, cut_after=1000),
    "lab/broken": Repository({"README.md": CARD, "test.jsonl": b'{"number": 1}\n{"number": '}),
}


def run(program: str, environment: dict[str, str]) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with HubServer(REPOSITORIES) as server:
        return run(PROGRAM, server.environment(tmp_path_factory.mktemp("home")))


def test_a_split_and_a_file_are_found(outcomes: dict[str, Any]) -> None:
    assert outcomes["split"] == {"number": 1999, "text": "line 1999"}
    assert outcomes["file"] == "a page"


def test_a_missing_dataset_is_named_with_its_page(outcomes: dict[str, Any]) -> None:
    assert outcomes["missing"]["got"] == "no dataset lab/missing on the Hub, or it is private"
    assert "/datasets/lab/missing" in outcomes["missing"]["fix"]


@pytest.mark.parametrize("case", ["missing file", "unknown split", "empty"])
def test_a_dataset_without_what_was_asked_for_is_not_called_missing(
    outcomes: dict[str, Any], case: str
) -> None:
    assert "no dataset" not in outcomes[case]["got"]
    wanted = {
        "missing file": "no no.txt",
        "unknown split": 'Unknown split "validation"',
        "empty": "has no test",
    }
    assert wanted[case] in outcomes[case]["got"]


@pytest.mark.parametrize("case", ["gated", "gated file"])
def test_a_gated_dataset_says_to_accept_the_terms_and_log_in(outcomes: dict[str, Any], case: str) -> None:
    assert "gated" in outcomes[case]["got"]
    assert "accept the terms at" in outcomes[case]["fix"]
    assert "hf auth login" in outcomes[case]["fix"]


@pytest.mark.parametrize("case", ["cut", "cut file"])
def test_a_download_that_is_cut_off_is_an_error_and_not_a_short_dataset(
    outcomes: dict[str, Any], case: str
) -> None:
    assert "cut off midway" in outcomes[case]["got"]
    assert "again" in outcomes[case]["fix"]


def test_a_file_that_is_no_json_is_called_unreadable(outcomes: dict[str, Any]) -> None:
    assert "cannot be read" in outcomes["broken"]["got"]


def test_a_gated_dataset_opens_to_an_account_that_accepted(tmp_path: Path) -> None:
    with HubServer(REPOSITORIES) as server:
        environment = server.environment(tmp_path) | {"HF_TOKEN": "hf_accepted"}
        program = "from workbench.datasets.hub import fetch_file\n"
        program += "import json; print(json.dumps(fetch_file('lab/gated', 'test.jsonl').stat().st_size))"
        assert run(program, environment) == len(ROWS)


def test_without_a_network_the_cache_serves_and_the_rest_is_an_error(tmp_path: Path) -> None:
    program = """
import json, time
time.sleep = lambda seconds: None
from workbench.datasets.hub import fetch_file
from workbench.core.errors import DataError
answers = []
for name in ["lab/found", "lab/empty"]:
    try:
        answers.append(fetch_file(name, "README.md").read_text()[:3])
    except DataError as error:
        answers.append(error.got + error.fix)
print(json.dumps(answers))
"""
    with HubServer(REPOSITORIES) as server:
        environment = server.environment(tmp_path)
        fetched = "from workbench.datasets.hub import fetch_file\n"
        fetched += "print(fetch_file('lab/found', 'README.md').stat().st_size)"
        assert run(fetched, environment) == len(CARD)
    unplugged = run(program, environment)  # nobody listens at the endpoint any more
    switched_off = run(program, environment | {"HF_HUB_OFFLINE": "1"})
    for answers in (unplugged, switched_off):
        assert answers[0] == "---"
        assert "cannot be reached" in answers[1]
        assert "HF_HUB_OFFLINE" in answers[1]
