"""What the HaF-RM experiment compares, declared before anything is run: arms, regimes, seeds, metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from workbench.core.errors import SettingsError
from workbench.models.loading import ModelSettings
from workbench.models.lora import LoraSettings
from workbench.models.reward_model import POOLINGS
from workbench.papers.haf_rm.data import Regime
from workbench.training.losses import POLICY_LOSSES
from workbench.training.settings import RewardTrainingSettings

__all__ = ["DPO", "GRM", "STANDARD", "Arm", "Declaration", "hybrid_name", "pooled_name"]

STANDARD, DPO, GRM = "standard", "DPO", "GRM"
GRM_ALPHA = 0.01
"""Weight of GRM's regularisation in its authors' release."""


def hybrid_name(alpha: float) -> str:
    """Return what tables call the hybrid arm with this weight of the policy loss."""
    return f"hybrid {alpha:g}"


def pooled_name(name: str, pooling: str) -> str:
    """Return what tables call an arm whose reward head reads a response so; the paper's last token is not named."""
    return name if pooling == RewardTrainingSettings.pooling else f"{name}, {pooling} pooling"


@dataclass(frozen=True)
class Arm:
    """A way to train a reward model. What is not said here is the same for all arms."""

    name: str
    """What tables call it."""
    alpha: float
    """Weight of the policy loss."""
    reward_weight: float = 1.0
    """Weight of the reward loss."""
    quantized: bool = False
    """Train adapters over NF4 weights, instead of what the other arms train."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Other settings of `RewardTrainingSettings`, such as `{"policy_loss": "simpo"}` or `{"pooling": "mean"}`."""
    tuned_as: str = ""
    """The arm whose tuned settings it takes; empty: its own, or else the paper's."""

    @property
    def score(self) -> str:
        """The score that it is judged by, a name of `SCORES`: DPO has its implicit reward only."""
        return "explicit" if self.reward_weight else "implicit"


@dataclass(frozen=True)
class Declaration:
    """What is compared, said before anything is run.

    Metric: the share of held-out pairs whose better response scores higher, on each test set. Comparison: each arm
    less the standard reward model, seed by seed; 95 % t interval over the seeds. A seed decides which pairs are
    trained on, their order and the head's first weights; all arms of a seed share these.

    Raises:
        SettingsError: One or more values cannot be used; all of them are named.
    """

    model: ModelSettings
    """The backbone."""
    alphas: tuple[float, ...] = (0.05, 0.2, 1.0)
    """Weights of the policy loss that the hybrid arms have; the paper's is 0.2."""
    poolings: tuple[str, ...] = (RewardTrainingSettings.pooling,)
    """What the reward head reads, of `POOLINGS`: each makes an arm of the standard model and of every hybrid. The
    first is that of all regimes, the others of the main one alone; the paper's is the last token."""
    regimes: tuple[Regime, ...] = (Regime(300),)
    """The first is the main one, with every arm; the others compare the standard one and the paper's hybrid."""
    seeds: tuple[int, ...] = tuple(range(10))
    """Reporting seeds. Tuning uses others, and other data."""
    quantized_seeds: int = 0
    """How many of them also train the hybrid as NF4 + LoRA, in the main regime."""
    training: RewardTrainingSettings = field(default_factory=RewardTrainingSettings)
    """What all arms share."""
    lora: LoraSettings | None = None
    """Adapters; None: all weights are trained."""
    tuned: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By arm, the settings of `RewardTrainingSettings` that tuning chose for it."""
    grm: bool = False
    """Also train GRM in the main regime: text-regularised hidden states, a sibling of the hybrid; see `grm_loss`."""
    added: tuple[Arm, ...] = ()
    """More arms, trained in the main regime; see `with_arms`."""

    def __post_init__(self) -> None:
        faults = []
        if not self.alphas or len(set(self.alphas)) < len(self.alphas) or not all(a > 0 for a in self.alphas):
            faults.append((f"alphas {self.alphas}", "alphas: different numbers above 0"))
        if (
            not self.poolings
            or len(set(self.poolings)) < len(self.poolings)
            or set(self.poolings) - {*POOLINGS}
        ):
            faults.append((f"poolings {self.poolings}", f"poolings: different ones of {', '.join(POOLINGS)}"))
        if not self.regimes or len(set(self.regimes)) < len(self.regimes):
            faults.append((f"{len(self.regimes)} regimes", "regimes: at least one, all different"))
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            faults.append((f"seeds {self.seeds}", "seeds: at least one, all different"))
        if not 0 <= self.quantized_seeds <= len(self.seeds):
            faults.append(
                (f"quantized_seeds {self.quantized_seeds}", f"quantized_seeds: 0 to {len(self.seeds)}")
            )
        if faults:
            raise SettingsError.listing(faults)

    @property
    def main(self) -> Regime:
        """The regime that every arm is trained in."""
        return self.regimes[0]

    @property
    def standard(self) -> str:
        """The standard arm that others are compared with, which reads as the first pooling says."""
        return pooled_name(STANDARD, self.poolings[0])

    @property
    def middle(self) -> str:
        """The hybrid arm that stands for all where not all are trained; see `middle_of`."""
        return self.middle_of(self.poolings[0])

    def middle_of(self, pooling: str) -> str:
        """Return the hybrid arm of a pooling with the paper's alpha, or the nearest to it."""
        return pooled_name(hybrid_name(self._middle_alpha), pooling)

    @property
    def _middle_alpha(self) -> float:
        return min(self.alphas, key=lambda alpha: abs(alpha - RewardTrainingSettings.alpha))

    def arms(self, regime: Regime) -> list[Arm]:
        """Return the arms that are trained in a regime, the standard one first."""
        if regime != self.main:
            return self._with_heads(self.poolings[0], (self._middle_alpha,))
        first, *others = (self._with_heads(pooling, self.alphas) for pooling in self.poolings)
        siblings = [Arm(DPO, 1.0, reward_weight=0.0), *([self.grm_arm] if self.grm else [])]
        return [*first, *siblings, *(arm for arms in others for arm in arms), *self.added]

    def _with_heads(self, pooling: str, alphas: Sequence[float]) -> list[Arm]:
        """Return the standard arm and the hybrids of a pooling."""
        arms = [Arm(STANDARD, 0.0), *(Arm(hybrid_name(alpha), alpha) for alpha in alphas)]
        changes = self._pooled(pooling)
        return [replace(arm, name=pooled_name(arm.name, pooling), changes=changes) for arm in arms]

    @property
    def grm_arm(self) -> Arm:
        """GRM with its release's loss and weight; it takes the hyperparameters that were tuned for the hybrid."""
        changes = {"policy_loss": "grm-sft"} | self._pooled(self.poolings[0])
        return Arm(GRM, GRM_ALPHA, reward_weight=1 - GRM_ALPHA, changes=changes, tuned_as=self.middle)

    def _pooled(self, pooling: str) -> dict[str, str]:
        """Return what a pooling changes."""
        return {} if pooling == self.training.pooling else {"pooling": pooling}

    def with_arms(self, arms: Sequence[Arm]) -> Declaration:
        """Return the declaration with the arms that are not among those of the main regime added to them.

        Args:
            arms: Those of the main regime as they are, and more, each under a name of its own.

        Raises:
            SettingsError: An arm was changed or taken away, or a name is taken: claims compare arms by their names.
        """
        own = self.arms(self.main)
        more = [arm for arm in arms if arm not in own]
        names = [arm.name for arm in [*own, self.quantized, *more]]
        twice = [name for name in names if names.count(name) > 1]
        lost = [arm.name for arm in own if arm not in arms]
        if twice or lost:
            raise SettingsError(
                got=f"arms in which {', '.join(dict.fromkeys(twice + lost))} is changed or missing",
                needed="the declared arms as they are, and others beside them",
                fix="give the changed arm a name of its own",
            )
        return replace(self, added=(*self.added, *more))

    @property
    def quantized(self) -> Arm:
        """The arm that trains as a large model would be trained."""
        _, middle = self._with_heads(self.poolings[0], (self._middle_alpha,))
        return replace(middle, name=f"{middle.name}, NF4 + LoRA", quantized=True)

    def with_variants(self, names: Sequence[str]) -> Declaration:
        """Return the declaration with an arm more for each other form of the policy loss: the paper's ablation.

        Args:
            names: Of `POLICY_LOSSES`, or `alternate:STEPS`, after which reward and policy loss take turns. `none`
                alone adds nothing.

        Raises:
            SettingsError: There is no such form.
        """
        if list(names) == ["none"]:
            return self
        made = []
        for name in names:
            kind, _, steps = name.partition(":")
            if kind == "alternate" and steps.isdigit() and int(steps):
                changes: dict[str, Any] = {"alternate": int(steps)}
            elif name in POLICY_LOSSES:
                changes = {"policy_loss": name}
            else:
                raise SettingsError(
                    got=f"variants {name!r}",
                    needed=f"none, {', '.join(POLICY_LOSSES)}, or alternate:STEPS",
                    fix="-p variants=hinge,simpo,alternate:100, for example",
                )
            changes |= {} if self.poolings[0] == self.training.pooling else {"pooling": self.poolings[0]}
            made.append(
                Arm(f"{self.middle}, {name}", self._middle_alpha, changes=changes, tuned_as=self.middle)
            )
        return self.with_arms([*self.arms(self.main), *made])

    def model_of(self, arm: Arm) -> ModelSettings:
        """Return how an arm holds the backbone."""
        return replace(self.model, quantize="nf4") if arm.quantized else self.model

    def lora_of(self, arm: Arm) -> LoraSettings | None:
        """Return the adapters that an arm trains."""
        return self.lora or LoraSettings() if arm.quantized else self.lora
