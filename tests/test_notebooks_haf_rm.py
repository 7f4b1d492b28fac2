"""notebooks/haf_rm.ipynb: well made, and executed small: in our world, and on a file with a tiny local checkpoint."""

import contextlib
import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner
from tiny_model import make_tiny_model

from workbench.cli import cli
from workbench.profiles import PAPERS
from workbench.runs.notebooks import notebook_parameters

NOTEBOOK = Path(__file__).resolve().parents[1] / "notebooks" / "haf_rm.ipynb"
SMALL = {
    "regimes": "12,8@0.25", "seeds": 2, "alphas": "0.2", "quantized_seeds": 1, "pool_prompts": 24,
    "test_prompts": 6, "samples": 4, "micro_batch": 8, "workers": 1,
}  # fmt: skip


def cells():
    return json.loads(NOTEBOOK.read_text())["cells"]


def run(folder, **parameters):
    words = [word for name, value in parameters.items() for word in ("-p", f"{name}={value}")]
    with contextlib.chdir(folder):
        return CliRunner().invoke(cli, ["run", str(NOTEBOOK), "--out", str(folder / "run"), *words])


def results(folder):
    return json.loads((folder / "run" / "haf_rm" / "results.json").read_text())


def test_it_is_made_as_the_house_makes_notebooks():
    code = [cell for cell in cells() if cell["cell_type"] == "code"]
    assert "".join(cells()[0]["source"]).startswith("# HaF-RM")
    assert [cell["outputs"] for cell in code if cell["outputs"]] == []
    assert [cell["execution_count"] for cell in code if cell["execution_count"]] == []
    tagged = [cell for cell in code if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1
    long = [cell["source"][0] for cell in code if cell not in tagged and len(cell["source"]) > 10]
    assert long == []
    assert not any(line.startswith(("def ", "class ")) for cell in code for line in cell["source"])


def test_its_parameters_are_those_of_the_profiles():
    assert notebook_parameters(NOTEBOOK) == ["profile", "out", *PAPERS["haf_rm"]]


def test_in_our_world_it_finds_all_that_it_promises(tmp_path):
    done = run(tmp_path, **SMALL)
    assert done.exit_code == 0, done.output
    found = results(tmp_path)
    # 2 seeds of 3 arms in the main regime and 2 in the other, and one of NF4 + LoRA
    assert found["numbers"]["trainings"] == 2 * 3 + 2 * 2 + 1
    assert found["numbers"]["settings tried in tuning"] >= 5
    tests = [row[0] for row in found["tables"]["test sets"]["rows"]]
    assert tests == ["familiar", "unseen verbs", "longer"]
    accuracy = {row[0]: row[1:] for row in found["tables"]["accuracy"]["rows"]}
    assert list(accuracy) == [
        "standard", "hybrid 0.2", "DPO", "hybrid 0.2, NF4 + LoRA",
        "untrained logp, sum", "untrained logp, mean", "longer wins", "shorter wins",
    ]  # fmt: skip
    assert {row[0] for row in found["tables"]["differences"]["rows"]} == {
        "12 pairs, clean",
        "8 pairs, 25% flipped",
    }
    assert set(found["figures"]) == {
        "training-curves", "accuracy", "differences", "transfer", "best-of-n-familiar", "best-of-n-unseen-verbs",
        "best-of-n-longer", "tokens-policy", "tokens-reward", "calibration",
    }  # fmt: skip
    assert [claim["seeds"] for claim in found["claims"]] == [2] * 4
    assert (tmp_path / "run" / "index.html").is_file()
    again = run(tmp_path, **SMALL)
    assert "finished before, kept" in again.output


def test_the_path_of_the_larger_profiles_on_local_files(tmp_path):
    """A tiny checkpoint and two files stand for what laptop and paper fetch; adapters over NF4, as in paper."""
    model = make_tiny_model(tmp_path / "model")
    source = random.Random(0)
    for name in ("first", "second"):
        rows = [
            {
                "prompt": f"question {i} of {name}",
                "chosen": f"yes {source.random():.3f}",
                "rejected": f"no {i}",
            }
            for i in range(120)
        ]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    files = ",".join(str(tmp_path / f"{name}.jsonl") for name in ("first", "second"))
    done = run(
        tmp_path, data=files, model=model, quantize="nf4", lora=True, tuning="paper", template="paper",
        regimes=8, seeds=1, alphas="0.2", quantized_seeds=0, test_prompts=5, max_tokens=96, micro_batch=2, workers=1,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    found = results(tmp_path)
    transfer = found["tables"]["differences"]
    names = [row[transfer["columns"].index("test set")] for row in transfer["rows"]]
    assert "first.jsonl -> second.jsonl" in names
    assert not any(name.startswith("best-of-n") for name in found["figures"])
    assert {claim["supported"] for claim in found["claims"]} == {None}  # one seed decides nothing


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"data": "hh-harmless"}, "-p model="),
        ({"quantize": "nf4"}, "lora"),
        ({"alphas": "much"}, "0.05,0.2,1"),
        ({"regimes": "lots"}, "PAIRS@FLIPPED"),
    ],
)
def test_parameters_that_do_not_go_together_are_refused_before_any_work(parameters, said):
    from types import SimpleNamespace

    from workbench.errors import SettingsError
    from workbench.experiments.haf_rm_setup import declare
    from workbench.profiles import settings

    given = SimpleNamespace(**settings("haf_rm", "pocket", {"tuning": "paper", **parameters}))
    with pytest.raises(SettingsError, match=said):
        declare(given)
