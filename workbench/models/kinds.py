"""What kind of model a name means, by what its configuration says, before any weight is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import ModelError
from workbench.models.saving import DESCRIPTION

if TYPE_CHECKING:
    from workbench.models.loading import ModelSettings

__all__ = ["ADAPTERS", "CLASSIFIER", "LANGUAGE_MODEL", "OURS", "ULTRA", "adapter_config", "kind_of"]

OURS = "a reward model of the workbench"
ULTRA = "UltraRM"
ADAPTERS = "adapters of a sequence classifier"
CLASSIFIER = "a sequence classifier"
LANGUAGE_MODEL = "a language model"
_ULTRA_ARCHITECTURE = "LlamaRewardModel"


def kind_of(settings: ModelSettings) -> str:
    """Return the kind of a model: one of this file's names.

    Args:
        settings: Its name or folder.

    Raises:
        ModelError: There is no such model, or it is adapters of another kind.
    """
    from transformers import AutoConfig, PretrainedConfig

    if (Path(settings.source) / DESCRIPTION).is_file():
        return OURS
    adapters = adapter_config(settings)
    if adapters is not None:
        if str(adapters.task_type).rpartition(".")[2] == "SEQ_CLS":
            return ADAPTERS
        raise ModelError(
            got=f"{settings.name}, adapters of the task {adapters.task_type} on {adapters.base_model_name_or_path}",
            needed="a whole model, or adapters of a reward model (task SEQ_CLS)",
            fix="fold them in and name the result: "
            f"AutoPeftModelForCausalLM.from_pretrained({settings.name!r}).merge_and_unload().save_pretrained(FOLDER)",
        )
    try:
        said, _ = PretrainedConfig.get_config_dict(settings.source, revision=settings.revision)
        kinds = said.get("architectures") or []
        if _ULTRA_ARCHITECTURE not in kinds:
            AutoConfig.from_pretrained(settings.source, revision=settings.revision)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            got=f"{settings.name} cannot be loaded: {(str(error) or type(error).__name__).splitlines()[0]}",
            needed="a reward model's folder, or a model on the Hub",
            fix="correct the name; for a gated model log in with `hf auth login`",
        ) from error
    if _ULTRA_ARCHITECTURE in kinds:
        return ULTRA
    return (
        LANGUAGE_MODEL
        if kinds and not any("SequenceClassification" in kind for kind in kinds)
        else CLASSIFIER
    )


def adapter_config(settings: ModelSettings) -> Any:
    """Return the configuration of a folder or repository that holds adapters of peft alone; None for others."""
    folder = Path(settings.source)
    if folder.is_dir():
        if not (folder / "adapter_config.json").is_file() or (folder / "config.json").is_file():
            return None
    else:
        from transformers.utils import cached_file

        absent: dict[str, Any] = {
            "_raise_exceptions_for_missing_entries": False,
            "_raise_exceptions_for_connection_errors": False,
            "_raise_exceptions_for_gated_repo": False,
            "revision": settings.revision,
        }
        try:
            if cached_file(settings.source, "config.json", **absent) or not cached_file(
                settings.source, "adapter_config.json", **absent
            ):
                return None
        except (OSError, ValueError):
            return None
    from peft import PeftConfig

    try:
        return PeftConfig.from_pretrained(settings.source, revision=settings.revision)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(
            got=f"{settings.name}: adapter_config.json cannot be read: {str(error).splitlines()[0]}",
            needed="adapters as peft saves them",
            fix="update peft, or copy the folder again",
        ) from error
