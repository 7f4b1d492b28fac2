"""What names a cluster, and what a job asks of it, as far as that needs no Ray."""

import importlib

import pytest

from workbench.core.errors import ClusterError, SettingsError
from workbench.store.cluster import Cluster, Needs, connect, workers_on
from workbench.store.jobs import run_jobs


def test_without_an_address_there_are_processes_and_ray_is_not_imported(monkeypatch):
    monkeypatch.setattr(importlib, "import_module", None)
    assert workers_on("", 3, "cuda") == 3


def test_without_ray_it_says_how_to_install_it(monkeypatch, tmp_path):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(importlib, "import_module", missing)
    for use in (lambda: connect("auto"), lambda: run_jobs(abs, {"a": 1}, tmp_path, workers=Cluster("auto"))):
        with pytest.raises(ClusterError, match=r"pip install 'alignment-workbench\[cluster\]'"):
            use()
    assert list(tmp_path.iterdir()) == []


def test_a_job_fits_as_often_as_its_scarcest_need_does():
    node = {"Alive": True, "Resources": {"CPU": 64.0, "GPU": 8.0, "memory": 100.0}}
    assert Needs().times_in(node["Resources"]) == 64
    assert Needs(cpus=4, gpus=1).times_in(node["Resources"]) == 8
    assert Needs(memory_bytes=40).times_in(node["Resources"]) == 2
    assert Needs(cpus=65).offered_by(node) is False
    assert Needs().offered_by({**node, "Alive": False}) is False


def test_needs_are_amounts():
    with pytest.raises(SettingsError, match="cpus above 0"):
        Needs(cpus=0)
