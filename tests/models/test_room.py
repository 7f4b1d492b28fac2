"""A full disk while weights are written is one error, whichever library meets it."""

from __future__ import annotations

import errno
import resource
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tiny_training import load, make_pairs, quick, save_tiny, tokenizer_of

from workbench.core.errors import FileError
from workbench.models.room import room_to_write
from workbench.training import train_reward_model

WAYS = {
    "safetensors": lambda file: save_file({"w": torch.zeros(100_000)}, file),
    "torch": lambda file: torch.save({"w": torch.zeros(100_000)}, file),
    "plain": lambda file: file.write_bytes(b"0" * 400_000),
}


@pytest.fixture
def small_files():
    """Let the system refuse files above 20 kB, as a full disk refuses them."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


@pytest.mark.parametrize("way", WAYS)
def test_each_librarys_error_becomes_the_same(tmp_path: Path, small_files: None, way: str) -> None:
    with pytest.raises(FileError, match="No space left on device") as caught, room_to_write(tmp_path):
        WAYS[way](tmp_path / "weights")
    assert caught.value.needed == "room on the disk"


def test_a_training_stops_with_it_and_goes_on_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = save_tiny(tmp_path / "tiny")
    folder, settings = tmp_path / "rm", quick(max_steps=4, checkpoint_steps=2)
    plain, calls = torch.save, []

    def full(*given: object, **options: object) -> None:
        calls.append(given)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        plain(*given, **options)

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(FileError, match="room on the disk"):
        train_reward_model(load(tiny), tokenizer_of(tiny), make_pairs(16), settings, folder=folder)
    monkeypatch.setattr(torch, "save", plain)
    trained = train_reward_model(load(tiny), tokenizer_of(tiny), make_pairs(16), settings, folder=folder)
    assert trained.steps == 4


def test_other_errors_stay(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="shape"), room_to_write(tmp_path):
        raise RuntimeError("shape mismatch")
    with pytest.raises(PermissionError), room_to_write(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied")
