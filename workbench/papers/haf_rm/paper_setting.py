"""HaF-RM as its authors ran it, beside what the notebook's parameters make of it.

Their release has two recipes: phi-2 trained whole, and Mistral-7B with LoRA. The profile `paper` is the second.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench.papers.haf_rm.policy_setup import declare_policies
from workbench.papers.haf_rm.setup import data_settings, declare
from workbench.runs.paper_settings import PaperSetting, compared_settings

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PAPER_SETTINGS", "our_settings", "settings_table"]

JUDGED = "picks among 8 answers, pair by pair with position swap: with an interval, and position bias shows"

NORMALIZED = "z-normalised once, on the pool's responses: both rewards are then the same function to the end"

PAPER_SETTINGS = (
    PaperSetting(
        "backbone",
        "mistralai/Mistral-7B-Instruct-v0.2",
        "release (paper: Mistral-7B; and phi-2, trained whole)",
    ),
    PaperSetting(
        "weights of the backbone",
        "not quantized",
        reason="NF4: 11 GB of memory less, so a GPU of 24 GB will do",
    ),
    PaperSetting(
        "prompt template",
        "[INST] {prompt} [/INST]",
        "release (paper: Instruct: ... Output:, which is phi-2's)",
    ),
    PaperSetting("LoRA rank", 64, "release; the paper gives none"),
    PaperSetting("LoRA alpha", 16.0, "paper and release"),
    PaperSetting("layers with adapters", "the MLP projections"),
    PaperSetting("alpha", 0.2, reason="the paper's sensitivity to alpha is measured in the same run"),
    PaperSetting("beta", 0.1),
    PaperSetting("the reward head reads", "last"),
    PaperSetting(
        "policy loss", "sigmoid", "paper (release: four more and alternation, an ablation: -p variants)"
    ),
    PaperSetting("learning rate", 3e-5, "release (paper: 1e-5, which is phi-2's)"),
    PaperSetting("AdamW epsilon", 1e-5),
    PaperSetting("gradient norm", 1.0),
    PaperSetting("batch size, pairs", 16),
    PaperSetting("optimizer steps", 3200, "release (paper: 2 epochs)"),
    PaperSetting("weights kept", "best of the evaluations", "release"),
    PaperSetting(
        "evaluation pairs",
        "the test pairs",
        "release",
        "a checkpoint that is chosen by test pairs scores too high on them",
    ),
    PaperSetting("longest sequence, tokens", 512),
    PaperSetting(
        "pairs left out", "several turns, or too long", "release (paper: prompts cut to 128 tokens)"
    ),
    PaperSetting("data", ("hh-helpful", "hh-harmless", "beavertails-safe", "alpaca-farm", "chatbot-arena")),
    PaperSetting("held-out share of AlpacaFarm", 0.1, "release"),
    PaperSetting("held-out share of Chatbot Arena", 0.05),
    PaperSetting(
        "test pairs a data set", "all", reason="2,000 give intervals of 2 points, in a tenth of the time"
    ),
    PaperSetting("seeds", "not given", reason="a claim needs three seeds at least"),
    PaperSetting("best-of-N", "an LLM ranks four picks", "release", JUDGED),
    PaperSetting("trained on all five sets together too", True, "release"),
    PaperSetting("RLHF, algorithm", "PPO", "release"),
    PaperSetting("RLHF, learning rate", 1e-6, "release"),
    PaperSetting("RLHF, responses per rollout", 2, "release"),
    PaperSetting("RLHF, rollouts", 15000, "release (30,000 episodes)"),
    PaperSetting("RLHF, longest response, tokens", 128, "release"),
    PaperSetting("RLHF, KL coefficient", "adaptive, from 0.2 to 6 nats", "release (TRL's default)"),
    PaperSetting("RLHF, scores", "normalised as they come, clipped at 3", "release", NORMALIZED),
)
"""What the paper and its release say."""


def our_settings(settings: Any) -> Mapping[str, Any]:
    """Return the same settings as a run's parameters make them.

    Args:
        settings: `Run.settings` of the notebook.
    """
    from workbench.datasets.preference_sources import NAMES

    declaration, data = declare(settings), data_settings(settings)
    ppo = declare_policies(settings, declaration).ppo
    training, lora = declaration.training, declaration.lora
    return {
        "backbone": settings.model or "the world's policy",
        "weights of the backbone": "not quantized"
        if settings.quantize == "none"
        else settings.quantize.upper(),
        "prompt template": training.encoding.template,
        "LoRA rank": lora.rank if lora else None,
        "LoRA alpha": lora.alpha if lora else None,
        "layers with adapters": (lora.target_modules or "the MLP projections") if lora else None,
        "alpha": declaration.alphas,
        "beta": training.beta,
        "the reward head reads": settings.poolings,
        "policy loss": training.policy_loss,
        "learning rate": "tuned, by arm" if declaration.tuned else training.learning_rate,
        "AdamW epsilon": training.adam_epsilon,
        "gradient norm": training.max_grad_norm,
        "batch size, pairs": training.batch,
        "optimizer steps": training.max_steps or f"{training.epochs:g} epochs",
        "weights kept": "best of the evaluations" if training.keep_best else "the last",
        "evaluation pairs": "a twentieth of the training prompts" if training.keep_best else None,
        "longest sequence, tokens": training.encoding.max_tokens,
        "pairs left out": "several turns, or too long" if data.whole_pairs else None,
        "data": settings.data,
        "held-out share of AlpacaFarm": NAMES["alpaca-farm"].held_out,
        "held-out share of Chatbot Arena": NAMES["chatbot-arena"].held_out,
        "test pairs a data set": data.test_prompts,
        "seeds": len(declaration.seeds),
        "best-of-N": f"{settings.judge} compares pairs of picks"
        if settings.judge
        else "by exact utility, or none",
        "trained on all five sets together too": data.mixed,
        "RLHF, algorithm": settings.rl_algorithm.upper(),
        "RLHF, learning rate": ppo.learning_rate,
        "RLHF, responses per rollout": ppo.batch,
        "RLHF, rollouts": ppo.max_steps,
        "RLHF, longest response, tokens": ppo.max_new_tokens,
        "RLHF, KL coefficient": f"adaptive, from {settings.rl_kl:g} to {settings.rl_kl_target:g} nats"
        if settings.rl_kl_target
        else f"{settings.rl_kl:g}, fixed",
        "RLHF, scores": "z-normalised",
    }


def settings_table(settings: Any) -> pd.DataFrame:
    """Return the table 'the paper's setting / ours'; see `compared_settings`."""
    return compared_settings("haf_rm", PAPER_SETTINGS, our_settings, settings)
