"""Weights that are pickles: tensors are read, anything else is refused in the project's words, and not run."""

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_model import make_tiny_model

from workbench.core.errors import ModelError
from workbench.models import ModelSettings, load_causal_lm
from workbench.models.pickles import CONVERT, START_OVER, only_tensors, read_state


class Bomb:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


@pytest.fixture
def model(tmp_path):
    """Hold a model whose weights are no safetensors (yet)."""
    folder = make_tiny_model(tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    return folder, weights


@pytest.mark.parametrize("kind", ["saved by torch", "a plain pickle"])
def test_a_pickled_model_is_refused_and_not_run(model, tmp_path, kind):
    """The raw error recommended `weights_only=False`, which runs what the file brings."""
    folder, weights = model
    file, marker = folder / "pytorch_model.bin", tmp_path / "marker"
    if kind == "saved by torch":
        torch.save({**weights, "bomb": Bomb(marker)}, file)
    else:
        file.write_bytes(pickle.dumps(Bomb(marker), 2))
    with pytest.raises(ModelError, match=f"{folder} has weights in a pickle") as caught:
        load_causal_lm(ModelSettings(str(folder), device="cpu"))
    assert "weights_only" not in str(caught.value)
    assert "save_pretrained" in str(caught.value)
    assert not marker.exists()


def test_what_is_no_pickle_is_damaged_and_said_so(model):
    folder, _ = model
    (folder / "pytorch_model.bin").write_bytes(b"garbage")
    with pytest.raises(ModelError, match=f"{folder} is damaged") as caught:
        load_causal_lm(ModelSettings(str(folder), device="cpu"))
    assert "weights_only" not in str(caught.value)
    assert "download it again" in str(caught.value)


def test_a_pickle_of_tensors_alone_is_read(model):
    folder, weights = model
    torch.save(weights, folder / "pytorch_model.bin")
    loaded = load_causal_lm(ModelSettings(str(folder), device="cpu")).model
    assert torch.equal(loaded.state_dict()["model.norm.weight"], weights["model.norm.weight"])


@pytest.mark.parametrize("content", [{"bomb": Bomb}, [1], None])
def test_a_checkpoint_that_is_none_is_one_error(tmp_path, content):
    file = tmp_path / "state.pt"
    if content is None:
        file.write_bytes(b"PK\x03\x04 half")
    else:
        torch.save({"bomb": Bomb(tmp_path / "marker")} if isinstance(content, dict) else content, file)
    with pytest.raises(ModelError, match="start over"):
        read_state(file)
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize(
    ("fix", "said"), [(CONVERT, "is damaged"), (START_OVER, "start over")], ids=["weights", "a checkpoint"]
)
def test_a_folder_without_a_pickle_is_one_error_wherever_it_is_read(tmp_path, fix, said):
    """Also where nothing else around it knows of damaged files: torch's own words never get out."""
    with pytest.raises(ModelError, match=said) as caught, only_tensors(str(tmp_path), fix=fix):
        raise pickle.UnpicklingError("Re-running `torch.load` with `weights_only` set to `False`")
    assert "weights_only" not in str(caught.value)
