"""From a notebook's parameters to RLHF with the reward models of the HaF-RM experiment."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from workbench.papers.haf_rm.data import WORLD
from workbench.papers.haf_rm.declaration import Declaration
from workbench.papers.haf_rm.policy_declaration import PolicyDeclaration
from workbench.papers.haf_rm.setup import data_settings
from workbench.training.ppo.kl import AdaptiveKL, FixedKL
from workbench.training.ppo.settings import PPOSettings
from workbench.worlds.passages.training import POCKET_PPO

__all__ = ["declare_policies"]


def declare_policies(settings: Any, declaration: Declaration) -> PolicyDeclaration:
    """Return what a run's parameters declare of RLHF: the standard reward against the paper's hybrid one.

    Args:
        settings: `Run.settings` of the notebook.
        declaration: Of the reward models.

    Raises:
        SettingsError: A parameter cannot be used, or TRL is missing.
    """
    if settings.rl_algorithm == "grpo":
        from workbench.training.grpo import check_trl

        check_trl()
    usual = POCKET_PPO if settings.data == (WORLD,) else PPOSettings()
    encoding, start, target = data_settings(settings).encoding, settings.rl_kl, settings.rl_kl_target
    return PolicyDeclaration(
        arms=(declaration.standard, declaration.middle),
        seeds=declaration.seeds[: settings.rl_seeds],
        ppo=replace(
            usual,
            template=encoding.template,
            chat=False,
            max_prompt_tokens=encoding.max_prompt_tokens,
            max_new_tokens=settings.rl_max_new_tokens,
            too_short=None,  # a reward model is all that pays
            max_steps=settings.rl_steps,
            batch=settings.rl_batch,
            minibatch=math.gcd(settings.rl_batch, usual.minibatch),
            micro_batch=math.gcd(settings.rl_batch, usual.micro_batch),
            kl=AdaptiveKL(start, target=target) if target > 0 else FixedKL(start),
            learning_rate=settings.rl_learning_rate,
            checkpoint_steps=0,
            progress=False,
        ),
        algorithm=settings.rl_algorithm,
        group=min(settings.samples, settings.rl_batch),
        test_prompts=settings.rl_prompts,
    )
