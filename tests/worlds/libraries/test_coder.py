"""The pocket code model as it is shipped: what it reads from a prompt, and that batches change nothing."""

import re

import pytest

from workbench.core.errors import ModelError
from workbench.store.location import data_folder
from workbench.worlds.libraries import prompts
from workbench.worlds.libraries.coder import PocketCoder, tidied
from workbench.worlds.libraries.operations import OPERATIONS
from workbench.worlds.libraries.problems import draw_benchmark


@pytest.fixture(scope="module")
def coder():
    return PocketCoder(data_folder() / "arks" / "seed-0")


@pytest.fixture(scope="module")
def benchmark():
    return draw_benchmark(77, libraries=2, problems=15, operations=(1,))


def ask(benchmark, *, right=True):
    """Ask with the right document, or with four others instead."""
    items = benchmark.documentation()
    prompts_made = []
    for problem in benchmark.problems:
        own = [item for item in items if item.library == problem.library]
        others = [item for item in own if item.parent not in problem.gold_documents]
        shown = [item for item in own if item.parent in problem.gold_documents] if right else others[::6]
        prompts_made.append(
            "".join(prompts.document(item.content) for item in shown) + prompts.question(problem.question)
        )
    return prompts_made


def called(program):
    return re.findall(r"= (\w+)\(", program)


def test_it_calls_the_function_that_the_document_names(coder, benchmark):
    written = coder.complete(ask(benchmark))
    right = [called(p.reference_code) == called(w) for p, w in zip(benchmark.problems, written, strict=True)]
    assert sum(right) > 0.8 * len(right)


def test_without_the_right_document_it_mostly_writes_a_familiar_name(coder, benchmark):
    names = [name for program in coder.complete(ask(benchmark, right=False)) for name in called(program)]
    assert len(names) == len(benchmark.problems)
    assert sum(name in OPERATIONS for name in names) > 0.7 * len(names)


def test_an_answer_depends_on_its_own_prompt_alone(coder, benchmark):
    asked = [*ask(benchmark)[:4], *ask(benchmark, right=False)[:4]]
    together = coder.complete(asked)
    assert together == [coder.complete([prompt])[0] for prompt in asked]
    assert coder.complete(asked[::-1]) == together[::-1]


def test_tokens_are_counted_as_the_model_reads_them(coder):
    assert coder.count_tokens("reverse the order: zumi\n") == 7


def test_its_fingerprint_is_of_its_weights(coder):
    assert coder.fingerprint == PocketCoder(data_folder() / "arks" / "seed-0").fingerprint
    assert coder.fingerprint != PocketCoder(data_folder() / "arks" / "seed-1").fingerprint
    assert coder.name == "pocket:seed-0"


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ModelError, match="no model in"):
        PocketCoder(tmp_path)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("x = zumi (x) \n x = koba (x, 3 )", "x = zumi(x)\nx = koba(x, 3)"),
        (" x = luvi ( 3 , x)", "x = luvi(3, x)"),
        ("x = luvi (x, by= 4 )", "x = luvi(x, by=4)"),
    ],
)
def test_spaces_between_tokens_are_taken_out(raw, code):
    assert tidied(raw) == code
