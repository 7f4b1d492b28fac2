"""Train a policy by PPO, from prompts and a reward to a saved policy."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch

from workbench.core.errors import ModelError, SettingsError
from workbench.models.generation_config import check_saves, forced_first_token, language_unsaid, left_aside
from workbench.models.loading import ModelSettings
from workbench.models.lora import LoraSettings
from workbench.models.placement import pick_dtype
from workbench.models.saving import base_of
from workbench.rewards.composition import HierarchicalReward
from workbench.rewards.functions import as_reward
from workbench.rewards.placement import require_fast
from workbench.rewards.spans import Reward
from workbench.training.ppo.loop import TrainedPolicy, TrainingLoop
from workbench.training.ppo.policy import ValuedPolicy
from workbench.training.ppo.processes import Processes
from workbench.training.ppo.prompt_checks import Prompt
from workbench.training.ppo.prompts import EncodedPrompt, encode_prompts, told_cut, uses_chat
from workbench.training.ppo.rollout import Collector
from workbench.training.ppo.saving import DESCRIPTION, restore_policy
from workbench.training.ppo.settings import PPOSettings
from workbench.training.preparation import device_of
from workbench.training.reference import policy_mark
from workbench.training.session import Session
from workbench.training.watching import Watcher

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["TrainedPolicy", "train_policy"]


def train_policy(
    policy: ValuedPolicy | ModelSettings,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Prompt],
    reward: Reward | HierarchicalReward | Callable[..., Any],
    settings: PPOSettings | None = None,
    *,
    folder: str | Path | None,
    eval_prompts: Sequence[Prompt] | None = None,
    lora: LoraSettings | None = None,
    resume: bool = True,
    watcher: Watcher | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> TrainedPolicy:
    """Train a policy by PPO and save it. Called again after an interruption, it goes on at the last checkpoint.

    Called again when all is done, it loads the result. Called with anything that would give other weights, it
    refuses; the reward it cannot compare but by name. In processes started by `accelerate launch` or `torchrun` all
    train together, each with the whole model and its share of every batch, and the first one writes.

    Args:
        policy: What to train, changed in place; or what to load, in a way that only depends on the seed.
        tokenizer: The policy's, of the fast kind.
        prompts: To train on: texts, lists of messages, or samples with metadata for the reward.
        reward: What responses are worth: a number each, dense values, or `HierarchicalReward`; or a function such as
            `f(sample)` or `f(prompt, response)`, see `FunctionReward`. For one that is slow,
            `Cached(reward, path=...)` makes a resumed training cheap.
        settings: How; the paper's if None.
        folder: Where the policy goes; see `TrainingFolder` for what lies beside it. None: nothing is written, and
            nothing can be resumed.
        eval_prompts: Held out, to evaluate on: always with the same random numbers.
        lora: Adapters to put on a policy that is to be loaded.
        resume: False: start over, and forget an earlier training in the folder.
        watcher: Hears what is logged, and may end the training. For one process.
        say: Receives lines on what is about to happen, such as `print`.

    Raises:
        DataError: There are no prompts; or one is empty, no text, or refused by the chat template: its row is named.
        ModelError: The policy cannot be loaded, run right or saved; a prompt's token is not the policy's; a loss is
            no number.
        RunError: Another process trains in the folder, or it holds another model.
        SettingsError: The longest prompt leaves no room for a response; the tokenizer is not fast; it is not clear
            what a function is to be asked; the reward does not give what is needed, before anything is learnt from
            it; the folder was begun with other settings; see also `PPOSettings`.
        TrainingStopped: The watcher ended it; the same call goes on at its checkpoint.

    Source: Schulman et al. 2017, "Proximal Policy Optimization Algorithms"; Ziegler et al. 2019 for language; Lai et
    al. 2024, "ALaRM", for the defaults.
    """
    settings = settings or PPOSettings()
    reward = as_reward(reward)
    require_fast(tokenizer)
    if folder is None:
        settings = replace(settings, checkpoint_steps=0)
    with Session(folder, description=DESCRIPTION) as session:
        policy = _ready(policy, settings, lora)
        together = Processes.meet(policy.device)
        settings.check_processes(together.world_size)
        train_on = encode_prompts(prompts, tokenizer, policy, settings)
        evaluate_on = (
            [] if eval_prompts is None else encode_prompts(eval_prompts, tokenizer, policy, settings)
        )
        say = say if together.first else lambda line: None
        say(_described(policy, tokenizer, train_on, settings, together))
        chat = uses_chat(settings, tokenizer)
        say(f"prompts: {'written by the chat template' if chat else repr(settings.template)}")
        if folder is not None:
            # tells now, and not after training, what cannot be saved
            base_of(policy.lm, policy.origin, adapters=policy.has_adapters)
            check_saves(policy.lm)
            asked = _asked(policy, train_on, reward, settings, lora)
            described = {"model": policy.summary, "prompts": len(train_on)}
            done = session.claim(asked, described, together=together, resume=resume)
            if done is not None:
                say(f"this training is done already: {session.folder}")
                restore_policy(policy, session.place.path)
                return TrainedPolicy(policy.eval(), **done, log=tuple(session.log()), folder=session.folder)
        bf16 = settings.bf16
        if bf16 is None:
            bf16 = pick_dtype("auto", policy.device) == torch.bfloat16
        loop = TrainingLoop(
            Collector(policy, tokenizer, reward, settings, bf16=bf16),
            train_on,
            evaluate_on,
            settings,
            processes=together,
            session=session,
            watcher=watcher,
        )
        return loop.run(tokenizer, say)


def _ready(
    policy: ValuedPolicy | ModelSettings, settings: PPOSettings, lora: LoraSettings | None
) -> ValuedPolicy:
    """Return the policy to train, loaded in a way that only the seed decides on."""
    from transformers import set_seed

    if isinstance(policy, ValuedPolicy):
        if not any(parameter.requires_grad for parameter in policy.policy.parameters()):
            raise ModelError(
                got="a policy of which nothing trains (requires_grad=False)",
                needed="adapters or a body that train",
                fix="load it by ValuedPolicy.load, or call policy.requires_grad_(True)",
            )
        if lora is not None:
            raise SettingsError(
                got="lora with a policy that is loaded already",
                needed="lora for a policy that is to be loaded",
                fix="give ModelSettings, or ValuedPolicy.load(..., lora=lora)",
            )
        return policy
    if not isinstance(policy, ModelSettings):
        raise SettingsError(
            got=f"a {type(policy).__name__} as policy",
            needed="ModelSettings, or a ValuedPolicy",
            fix="give ModelSettings(name), or ValuedPolicy(model) for a model that is loaded",
        )
    set_seed(settings.seed)
    return ValuedPolicy.load(replace(policy, device=str(device_of(policy))), lora=lora)


def _asked(
    policy: ValuedPolicy,
    prompts: Sequence[EncodedPrompt],
    reward: Reward | HierarchicalReward,
    settings: PPOSettings,
    lora: LoraSettings | None,
) -> dict[str, Any]:
    """Return all that shapes the weights, as plain values."""
    digest = sha256()
    for prompt in prompts:
        said = [prompt.tokens, prompt.sample.prompt, sorted(prompt.sample.metadata.items())]
        digest.update(json.dumps(said, default=str).encode() + b"\n")
    told: dict[str, Any] = {"name": reward.name}
    if isinstance(reward, HierarchicalReward):
        known = reward.settings
        told |= {"holistic": reward.holistic.name, "aspects": sorted(reward.aspects)}
        told |= {name: getattr(known, name) for name in ("threshold", "holistic_weight", "mode", "shaping")}
        told["aspect_weights"] = dict(known.aspect_weights)
    forced = forced_first_token(policy.lm)
    return {
        **({} if forced is None else {"forced_bos_token_id": forced}),
        "settings": settings.describe(),
        "lora": lora and asdict(lora),
        "model": policy.origin.source if policy.origin else None,
        "weights": policy_mark(cast(Any, policy), adapters=True),
        "prompts": digest.hexdigest(),
        "reward": told,
    }


def _described(
    policy: ValuedPolicy,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[EncodedPrompt],
    settings: PPOSettings,
    together: Processes,
) -> str:
    """Say what trains, on what, in how many processes."""
    trained = sum(parameter.numel() for parameter in policy.parameters() if parameter.requires_grad)
    processes = f"; {together.world_size} processes" if together.world_size > 1 else ""
    layout, forced, aside = policy.layout, forced_first_token(policy.lm), left_aside(policy.lm)
    notes = f"; {layout}" if layout.slow or layout.banned_token is not None else ""
    notes += (
        f"; each response begins behind token {forced} (forced_bos_token_id)" if forced is not None else ""
    )
    notes += f"; {unsaid}" if (unsaid := language_unsaid(policy.lm, tokenizer)) else ""
    notes += f"; sampled without what generation_config adds ({', '.join(aside)})" if aside else ""
    return (
        f"policy: {policy.summary or type(policy.lm).__name__}; {trained:,} parameters train{processes}{notes}; "
        f"{settings.steps(len(prompts))} rollouts of {settings.batch} responses to {len(prompts):,} prompts"
        + told_cut([prompt.lost for prompt in prompts], settings.cut)
    )
