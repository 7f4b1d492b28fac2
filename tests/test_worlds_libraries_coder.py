"""The pocket code model as it is shipped: what it reads from a prompt, and that batches change nothing."""

import re

import pytest

from workbench.datasets.location import data_folder
from workbench.errors import ModelError
from workbench.worlds.libraries import prompts
from workbench.worlds.libraries.coder import PocketCoder, tidied
from workbench.worlds.libraries.problems import draw_benchmark


@pytest.fixture(scope="module")
def coder():
    return PocketCoder(data_folder() / "arks" / "seed-0")


@pytest.fixture(scope="module")
def benchmark():
    return draw_benchmark(77, libraries=2, problems=30, operations=(1,))


def ask(benchmark, *, documented=True):
    documents = {item.parent: item.content for item in benchmark.documentation()}
    return [
        "".join(prompts.document(documents[name]) for name in problem.gold_documents if documented)
        + prompts.question(problem.question)
        for problem in benchmark.problems
    ]


def called(program):
    return re.findall(r"= (\w+)\(", program)


def test_it_calls_the_function_that_the_document_names(coder, benchmark):
    written = coder.complete(ask(benchmark))
    right = [called(p.reference_code) == called(w) for p, w in zip(benchmark.problems, written, strict=True)]
    assert sum(right) > 0.8 * len(right)


def test_without_a_document_it_writes_the_familiar_name_and_never_an_invented_one(coder, benchmark):
    invented = {function.name for library in benchmark.libraries for function in library.functions}
    names = [name for program in coder.complete(ask(benchmark, documented=False)) for name in called(program)]
    assert len(names) >= len(benchmark.problems)
    assert not invented & set(names)


def test_an_answer_depends_on_its_own_prompt_alone(coder, benchmark):
    asked = [*ask(benchmark)[:12], *ask(benchmark, documented=False)[:12]]
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
