"""The README's training of two processes, by accelerate, where Ray finds the place."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import ray_cluster
from tiny_model import make_tiny_model

README = Path(__file__).resolve().parents[2] / "README.md"
pytestmark = pytest.mark.cluster


@pytest.mark.timeout(900)
def test_the_example_trains_by_two_processes(tmp_path):
    text = README.read_text(encoding="utf-8").partition("\n## On several machines\n")[2].partition("\n## ")[0]
    (code,) = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    make_tiny_model(tmp_path / "my-model")
    rows = [{"prompt": f"q{n}", "chosen": "yes " + "a" * (n % 5), "rejected": "no"} for n in range(32)]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    cluster = ray_cluster.two_nodes()
    wide = cluster.add_node(**ray_cluster.node(cpus=2))
    cluster.wait_for_nodes()
    try:
        environment = os.environ | {"RAY_ADDRESS": cluster.address}
        said = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        cluster.remove_node(wide)
    assert "exit status 0" in said.stdout
    assert (tmp_path / "out/both/adapter_model.safetensors").is_file()
    score = [sys.executable, "-m", "workbench.cli.main", "reward", "score", "--model", "out/both"]
    subprocess.run([*score, "--data", "pairs.jsonl", "--out", "scored"], cwd=tmp_path, check=True)
