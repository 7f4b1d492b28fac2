"""What a job names below the run's folder goes to nodes without the driver's disk, and what it wrote comes back."""

import pickle
from dataclasses import dataclass
from pathlib import Path

import pytest

from workbench.core.errors import ClusterError
from workbench.store.carried import Carried, FilesWanted, named_below, unpack


@dataclass(frozen=True)
class Job:
    model: str
    folder: Path
    texts: tuple[str, ...] = ("a", "/elsewhere/b")
    more: dict = None


def test_paths_below_the_folder_are_found_at_any_depth_and_nothing_else(tmp_path):
    job = Job(
        f"{tmp_path}/model", tmp_path / "own", more={"inner": [Job("hub/name", Path(f"{tmp_path}x/no"))]}
    )
    job.more["self"] = job.more  # a circle
    assert named_below(job, tmp_path) == (f"{tmp_path}/model", f"{tmp_path}/own")


def test_a_node_that_shares_the_disk_is_brought_nothing(tmp_path):
    token = tmp_path / "token"
    token.touch()
    carried = Carried(str(tmp_path), str(token), (str(tmp_path / "own"),))
    assert carried.unpack() is None
    assert carried.changed(None) == b""


def test_files_go_out_and_those_that_were_written_come_back(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    (here / "model").mkdir(parents=True)
    (here / "model/weights").write_bytes(b"w")
    (here / "model/.passing").write_bytes(b"p")
    paths = lambda root: (str(root / "model"), str(root / "own"))  # noqa: E731
    asked = Carried(str(here), str(tmp_path / "no-token"), paths(here))
    with pytest.raises(FilesWanted):
        asked.unpack()
    # the node's folder has another name here only so that one disk can stand for two
    sent = Carried(str(there), str(tmp_path / "no-token"), paths(there), asked.packed().content)
    before = sent.unpack()
    assert {file.name for file in there.rglob("*") if file.is_file()} == {"weights"}
    (there / "own").mkdir()
    (there / "own/log").write_bytes(b"new")
    (there / "elsewhere").write_bytes(b"not named")
    unpack(sent.changed(before), here)
    assert (here / "own/log").read_bytes() == b"new"
    assert pickle.loads(sent.changed(before)).keys() == {"own/log"}


def test_a_file_that_would_lie_elsewhere_is_refused(tmp_path):
    with pytest.raises(ClusterError, match="files below"):
        unpack(pickle.dumps({"../out": b""}), tmp_path / "root")
