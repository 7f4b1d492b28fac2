"""Every large profile against repositories in the Hub's formats, on loopback: nothing of it is found wanting."""

import json
import subprocess
import sys

import pytest
from hub_files import ROWS, repositories
from hub_server import HubServer

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux"),
]
PROFILES = [
    (paper, profile) for paper in ("alarm", "arks", "ds1000", "haf_rm") for profile in ("laptop", "paper")
]
HERE = {"QA-Feedback", "judge", "memory", "disk", "runtime ds1000"}
"""Needs that are not on the Hub: a clone of the authors' repository, a key, the machine."""

# all in one process, since importing what reads the Hub takes longer than reading it
PROGRAM = """
import json, sys, time
time.sleep = lambda seconds: None
from workbench.runs.needs import Lack
from workbench.runs.planning import plan
from workbench.runs.running import check_plan

found = {}
for paper, profile in json.loads(sys.argv[1]):
    for one in check_plan(plan([paper], profile, [], "unused")):
        outcome = one.outcome
        said = [outcome.got, outcome.fix] if isinstance(outcome, Lack) else [outcome.detail]
        found[f"{paper} {profile} {one.need}"] = said
print(json.dumps(found))
"""


def check(environment, profiles=PROFILES):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(profiles)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=560,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def server():
    with HubServer(repositories()) as running:
        yield running


@pytest.fixture(scope="module")
def found(server, tmp_path_factory):
    environment = server.environment(tmp_path_factory.mktemp("home"))
    environment.pop("OPENAI_API_KEY", None)
    return check(environment | {"HF_TOKEN": "hf_accepted"})


def test_data_and_models_of_every_profile_are_read_as_they_stand_on_the_hub(found):
    lacks = {name: said for name, said in found.items() if len(said) == 2}
    # the authors' own packages are on no index, and toolchains are the user's: refused with what installs them
    others = [name for name in lacks if "arks paper programs of" not in name]
    assert not [name for name in others if name.split(" ", 2)[2] not in HERE]
    for task, words in (
        ("ScipyM", "-e arks/updated_libraries/ScipyM"),
        ("Ring", "ring-lang"),
        ("Pony", "ponyup"),
    ):
        said = found[f"arks paper programs of {task}"]
        assert len(said) == 1 or words in said[1]  # somebody may have installed it here


def test_rows_are_counted_and_a_regime_that_is_larger_takes_all(found):
    for name in ("hh-helpful", "beavertails-safe", "alpaca-farm", "chatbot-arena"):
        assert "the regime of 30,000 takes all" in found[f"haf_rm paper data {name}"][0]
    assert found["haf_rm paper data hh-harmless"][0].startswith(
        f"{ROWS} pairs to train on, {ROWS} to test on"
    )


def test_tokenizers_are_built_from_what_each_repository_has(found):
    assert found["alarm paper policy that translates"][0].startswith("google/mt5-base: mt5, T5Tokenizer of ")
    assert "llama" in found["alarm paper holistic reward"][0]


def test_a_gated_repository_is_said_with_its_page(server, tmp_path):
    found = check(server.environment(tmp_path), [("haf_rm", "paper")])
    got, fix = found["haf_rm paper data chatbot-arena"]
    assert "lmsys/chatbot_arena_conversations is gated" in got and "hf auth login" in fix
    assert len(found["haf_rm paper data alpaca-farm"]) == 1
