"""Run a paper's notebook in one of its large profiles, away from the network: its own YAML, with sizes cut.

Models and data lie on a server that speaks as the Hub does; a judge answers as OpenAI does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from hub_files import DATA
from hub_server import HubServer, Repository
from openai_endpoint import Endpoint, chat
from tiny_checkpoints import tiny_repository

import workbench.papers

__all__ = ["Profile", "run_profile"]

LIMIT_S = 840


@dataclass(frozen=True)
class Profile:
    """A profile, and what a run of it on this machine cuts."""

    paper: str
    name: str
    models: Mapping[str, str]
    """The models that it names, with a class of transformers that has the weights of each."""
    cut: Mapping[str, Any]
    """Parameters that get another value: sizes, and what this machine cannot do."""
    kept: str
    """Names of the parameters that stay as the YAML has them."""
    data: Mapping[str, Repository] = field(default_factory=lambda: DATA)
    """Data sets on the Hub."""

    @property
    def untold(self) -> set[str]:
        """Parameters of the YAML that are neither cut nor kept, and names kept that it does not have."""
        file = Path(workbench.papers.__path__[0]) / self.paper / f"{self.name}.yaml"
        values = yaml.safe_load(file.read_text())
        return (set(values) - set(self.cut)) ^ set(self.kept.split())


def run_profile(profile: Profile, folder: Path, **environment: str) -> dict[str, Any]:
    """Run the profile in `folder`, where files of the data may lie; returns what results.json has."""
    words = [word for key, value in profile.cut.items() for word in ("-p", f"{key}={value}")]
    command = [
        sys.executable,
        "-m",
        "workbench.cli.main",
        "run",
        profile.paper,
        "--profile",
        profile.name,
        *words,
    ]
    models = {name: tiny_repository(name, kind) for name, kind in profile.models.items()}
    # the judge prefers the first response that it reads
    judge = Endpoint(lambda path, body, number: chat("A"))
    with HubServer({**profile.data, **models}) as server, closing(judge):
        told = server.environment(folder / "home") | {
            "HF_TOKEN": "hf_accepted", "OPENAI_BASE_URL": judge.url, "OPENAI_API_KEY": "any", "BROWSER_PATH": "none",
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2"), "CUDA_VISIBLE_DEVICES": "",
        }  # fmt: skip
        done = subprocess.run(
            [*command, "--out", str(folder / "run")],
            env=told | environment,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return json.loads((folder / "run" / profile.paper / "results.json").read_text())
