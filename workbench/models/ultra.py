"""UltraRM, ALaRM's holistic reward: a Llama whose score head has a name of its own."""

from __future__ import annotations

from typing import Any

__all__ = ["UltraLoader"]


class UltraLoader:
    """Loads the checkpoint into transformers' classifier of the same computation, the head under its name there.

    Source: Cui et al. 2023, "UltraFeedback"; the checkpoint is openbmb/UltraRM-13b.
    """

    @staticmethod
    def from_pretrained(name: str, **options: Any) -> Any:
        """Load it, as `from_pretrained` of transformers does."""
        from transformers import LlamaForSequenceClassification

        return LlamaForSequenceClassification.from_pretrained(
            name, num_labels=1, key_mapping={"^regression_head": "score"}, **options
        )
