"""A loaded model beside itself: a few texts as transformers reads them one at a time, and in each way of ours."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from workbench.models.calling import called
from workbench.models.loading import ModelSettings
from workbench.models.lora import LoraSettings, add_lora
from workbench.models.merging import merge_adapters
from workbench.models.modes import evaluation_mode
from workbench.models.reading import plain_tokens
from workbench.models.reward_model import RewardModel
from workbench.training.ppo.bodies import PromptBatch, start_tokens
from workbench.training.ppo.losses import allowed_log_softmax
from workbench.training.ppo.policy import ValuedPolicy
from workbench.training.ppo.sampling import sample
from workbench.training.ppo.saving import load_policy, save_policy

__all__ = ["ROUNDED", "ModelTrial", "WrongResult"]

LENGTHS = ((5, 6), (3, 4), (9, 2), (9, 5))
"""Tokens of the trial's prompts and responses; the last two rows have the same prompt."""
ROUNDING, ROUNDED = 1e-5, "outputs by rounding"
"""What the same weights may differ by where they lie otherwise in memory, and how that is said."""
NEW = 12
"""Tokens that are sampled."""


class WrongResult(Exception):
    """A way gives something else than the model does."""


class ModelTrial:
    """A loaded model, texts to read, and what it says of them when it reads them one at a time."""

    def __init__(self, lm: Any, settings: ModelSettings) -> None:
        self.lm, self.settings, self.device = lm, settings, next(lm.parameters()).device
        self.encodes = bool(getattr(lm.config, "is_encoder_decoder", False))
        self.close = 2e-3 if lm.dtype == torch.float32 else 0.3
        lengths = [sum(part) for part in LENGTHS]
        self.texts = list(plain_tokens(lm, sum(lengths)).split(lengths))
        self.texts[3] = torch.cat([self.texts[2][: LENGTHS[2][0]], self.texts[3][LENGTHS[3][0] :]])
        self.adapted: Any = None

    def batches(self, **layout: bool) -> str:
        """Compare scores and log-probabilities in batches padded on either side with those of each text alone."""
        model = self._reward_model(self.lm, **layout)
        return self._compared(model, self.own())

    def policy(self) -> str:
        """Compare a policy's log-probabilities in a batch with the model's own."""
        policy = ValuedPolicy(self.lm).eval()
        prompts, ids, mask = self._prompts(), *self._responses()
        with torch.no_grad():
            found = policy(prompts, ids, mask).logps
        self._check("log-probabilities in a batch", found[mask], torch.cat(self.own()))
        return str(policy.layout)

    def sampled(self) -> str:
        """Compare what was sampled with the policy's and the model's own log-probabilities: no KL before any step."""
        policy = ValuedPolicy(self.lm).eval()
        given, allowed = self._sampled(policy, ()), self._allowed(policy)
        with torch.no_grad():
            again = policy(self._prompts(), given.ids, given.mask, allowed=allowed).logps
        self._check("KL a token", given.logps[given.mask], again[given.mask])
        texts = [
            torch.cat([text[:prompt], row])
            for text, (prompt, _), row in zip(self.texts, LENGTHS, given.ids, strict=True)
        ]
        own = torch.cat(self._adapted_own(self.lm, texts, allowed=allowed))
        self._check("KL a token", given.logps.flatten(), own)
        return f"{float((given.logps.flatten() - own).abs().max()):.1g} nats a token"

    def stops(self) -> str:
        """Let each of several tokens end a response."""
        policy = ValuedPolicy(self.lm).eval()
        free = self._sampled(policy, ())
        stops = free.ids[:, NEW // 2].unique().tolist()
        given = self._sampled(policy, stops)
        ends = torch.isin(given.ids, torch.tensor(stops, device=given.ids.device)) & given.mask
        first = torch.isin(free.ids, torch.tensor(stops, device=free.ids.device)).long().argmax(1)
        if not (ends.sum(1) == 1).all() or not torch.equal(given.mask.sum(1) - 1, first):
            raise WrongResult("a response goes on behind a stop token")
        return ""

    def adapters(self) -> str:
        """Put adapters on by default: nothing changes at first, and gradients reach them."""
        before = torch.cat(self.own())
        adapted = add_lora(self.lm, LoraSettings(rank=4))
        self.adapted = adapted
        self._check("log-probabilities with fresh adapters", torch.cat(self.own()), before)
        with torch.enable_grad(), evaluation_mode(adapted):
            sum(part.sum() for part in self.own(grad=True)).backward()  # type: ignore[union-attr]
        trained = {name: one for name, one in adapted.named_parameters() if "lora_B" in name}
        reached = [name for name, one in trained.items() if one.grad is not None and bool(one.grad.any())]
        if not reached:
            raise WrongResult("no gradient reaches the adapters")
        adapted.zero_grad(set_to_none=True)
        drawn = torch.Generator(self.device).manual_seed(1)
        with torch.no_grad():
            for one in trained.values():
                one.copy_(0.05 * torch.randn(one.shape, generator=drawn, device=one.device, dtype=one.dtype))
        targets = sorted(set(_ends(adapted)))
        return f"{', '.join(targets)}; gradients reach {len(reached)} of {len(trained)}"

    def kept(self) -> str:
        """Save a reward model with its adapters, load it, and compare bit by bit."""
        model = self._reward_model(self._with_adapters(), origin=self.settings)
        with tempfile.TemporaryDirectory() as folder:
            model.save_pretrained(folder)
            again = RewardModel.from_pretrained(folder, device=str(self.device))
            said = [_run(one, *self._batch("right")) for one in (model, again.eval())]
            return _same((model, again), (said[0], said[1]))

    def policy_kept(self) -> str:
        """Save a policy, an encoder-decoder's, with its adapters, load it, and compare bit by bit."""
        policy = ValuedPolicy(self._with_adapters(), origin=self.settings).eval()
        with tempfile.TemporaryDirectory() as folder, torch.no_grad():
            save_policy(policy, Path(folder))
            again = load_policy(folder, device=str(self.device))
            said = [one(self._prompts(), *self._responses()) for one in (policy, again)]
            return _same((policy, again), (said[0], said[1]))

    def merged(self) -> str:
        """Fold the adapters into the weights, and compare."""
        before = torch.cat(self._adapted_own(self._with_adapters()))
        self.lm, self.adapted = merge_adapters(self.adapted), None
        self._check("log-probabilities once merged", torch.cat(self.own()), before)
        return ""

    def own(self, texts: Sequence[Tensor] | None = None, *, grad: bool = False) -> list[Tensor]:
        """Return the log-probabilities of each response's tokens, as the model reads the text alone."""
        return self._adapted_own(self.lm, texts, grad=grad)

    def _adapted_own(
        self,
        lm: Any,
        texts: Sequence[Tensor] | None = None,
        *,
        grad: bool = False,
        allowed: Tensor | None = None,
    ) -> list[Tensor]:
        found = []
        with torch.set_grad_enabled(grad), evaluation_mode(lm):
            for text, (prompt, _) in zip(texts or self.texts, LENGTHS, strict=True):
                response = text[prompt:]
                if self.encodes:
                    start = text.new_tensor(start_tokens(self.lm))
                    read = {
                        "input_ids": text[None, :prompt],
                        "decoder_input_ids": torch.cat([start, response[:-1]])[None],
                    }
                    logits = called(lm, **read, use_cache=False).logits[0, len(start) - 1 :]
                else:
                    logits = called(lm, input_ids=text[None], use_cache=False).logits[0, prompt - 1 : -1]
                log_probs = allowed_log_softmax(logits, allowed)
                found.append(log_probs.gather(1, response[:, None])[:, 0])
        return found

    def _with_adapters(self) -> Any:
        if self.adapted is None:
            add = add_lora(self.lm, LoraSettings(rank=4))
            self.adapted = add
        return self.adapted

    def _reward_model(self, policy: Any, **options: Any) -> RewardModel:
        torch.manual_seed(0)
        return RewardModel(policy, init_std=0.5, **options).eval()

    def _compared(self, model: RewardModel, own: list[Tensor]) -> str:
        alone = [_run(model, text[None], *self._masks(row)) for row, text in enumerate(self.texts)]
        scores = torch.cat([one.scores for one in alone])
        worst = 0.0
        for side in ("right", "left"):
            ids, mask, response = self._batch(side)
            found = _run(model, ids, mask, response)
            worst = max(
                worst,
                self._check(f"log-probabilities padded {side}", found.token_logps[response], torch.cat(own)),
                self._check(f"scores padded {side}", found.scores, scores, relative=True),
            )
        return f"{worst:.1g} apart"

    def _masks(self, row: int) -> tuple[Tensor, Tensor]:
        real = torch.ones_like(self.texts[row][None], dtype=torch.bool)
        return real, (real.cumsum(1) > LENGTHS[row][0])

    def _batch(self, side: str) -> tuple[Tensor, Tensor, Tensor]:
        """Return ids, real tokens and responses, padded on a side. Each of shape [texts, tokens]."""
        width = max(len(text) for text in self.texts)
        ids = torch.zeros(len(self.texts), width, dtype=torch.long, device=self.device)
        mask, response = torch.zeros_like(ids).bool(), torch.zeros_like(ids).bool()
        for row, text in enumerate(self.texts):
            first = 0 if side == "right" else width - len(text)
            ids[row, first : first + len(text)] = text
            mask[row, first : first + len(text)] = True
            response[row, first + LENGTHS[row][0] : first + len(text)] = True
        return ids, mask, response

    def _prompts(self) -> PromptBatch:
        width = max(prompt for prompt, _ in LENGTHS)
        ids = torch.zeros(len(LENGTHS), width, dtype=torch.long, device=self.device)
        mask = torch.zeros_like(ids).bool()
        for row, (text, (prompt, _)) in enumerate(zip(self.texts, LENGTHS, strict=True)):
            ids[row, width - prompt :], mask[row, width - prompt :] = text[:prompt], True
        return PromptBatch(ids, mask)

    def _responses(self) -> tuple[Tensor, Tensor]:
        width = max(response for _, response in LENGTHS)
        ids = torch.zeros(len(LENGTHS), width, dtype=torch.long, device=self.device)
        mask = torch.zeros_like(ids).bool()
        for row, (text, (prompt, response)) in enumerate(zip(self.texts, LENGTHS, strict=True)):
            ids[row, :response], mask[row, :response] = text[prompt:], True
        return ids, mask

    def _sampled(self, policy: ValuedPolicy, stops: Sequence[int]) -> Any:
        uniform = torch.rand(
            len(LENGTHS), NEW, generator=torch.Generator().manual_seed(3), dtype=torch.float64
        )
        allowed = self._allowed(policy)
        return sample(policy, self._prompts(), uniform, stop_tokens=stops, allowed=allowed)

    def _allowed(self, policy: ValuedPolicy) -> Tensor | None:
        """Return what may be sampled: all that the layout does not ban. Shape [vocabulary], bool; None: all."""
        banned = policy.layout.banned_token
        rows = torch.arange(policy.lm_head.weight.shape[0], device=self.device)
        return None if banned is None else rows != banned

    def _check(self, what: str, found: Tensor, right: Tensor, *, relative: bool = False) -> float:
        """Return the largest difference; raise where it is more than rounding."""
        size = max(1.0, float(right.abs().max())) if relative else 1.0
        apart = float((found.float() - right.float()).abs().max()) / size
        if not apart <= self.close:
            raise WrongResult(f"{what} are {apart:.2g} off")
        return apart


def _run(model: RewardModel, ids: Tensor, mask: Tensor, response: Tensor) -> Any:
    with torch.no_grad():
        return model(ids, mask, response)


def _same(models: tuple[Any, Any], said: tuple[Any, Any]) -> str:
    """Compare two models' weights and what they said, bit by bit; outputs of the same weights may round."""
    one, other = (dict(model.state_dict()) for model in models)
    if set(one) != set(other) or not all(torch.equal(value, other[name]) for name, value in one.items()):
        raise WrongResult("loaded again it has other weights")
    apart = max(float((first - second).abs().max()) for first, second in zip(*said, strict=True))
    if not apart <= ROUNDING:
        raise WrongResult(f"loaded again it is {apart:.2g} off")
    return f"the same weights, {ROUNDED} {apart:.1g} apart" if apart else "bit by bit"


def _ends(adapted: Any) -> Iterator[str]:
    for name, part in adapted.named_modules():
        if hasattr(part, "lora_A") and "." in name:
            yield ".".join([piece for piece in name.split(".") if not piece.isdigit()][-2:])
