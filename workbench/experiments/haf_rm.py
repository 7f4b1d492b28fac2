"""The HaF-RM experiment: standard, hybrid and DPO reward models on the same pairs, seed by seed.

Source: HaF-RM: A Hybrid Alignment Framework for Reward Model Training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.datasets.preference_pair import PreferencePair
from workbench.errors import SettingsError
from workbench.experiments.haf_rm_data import ExperimentData, Regime, training_pairs
from workbench.experiments.jobs import run_jobs
from workbench.models.encoding import EncodingSettings
from workbench.models.loading import ModelSettings, load_tokenizer
from workbench.models.lora import LoraSettings
from workbench.training.settings import RewardTrainingSettings

__all__ = [
    "DPO",
    "STANDARD",
    "Arm",
    "Declaration",
    "Job",
    "Outcome",
    "hybrid_name",
    "job_name",
    "make_job",
    "plan",
    "run_declared",
    "run_job",
    "untrained",
]

STANDARD, DPO = "standard", "DPO"
Floats = NDArray[np.float64]


def hybrid_name(alpha: float) -> str:
    """Return what tables call the hybrid arm with this weight of the policy loss."""
    return f"hybrid {alpha:g}"


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
    regimes: tuple[Regime, ...] = (Regime(300),)
    """The first is the main one, with every arm; the others compare the standard, the paper's hybrid, and DPO."""
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

    def __post_init__(self) -> None:
        faults = []
        if not self.alphas or len(set(self.alphas)) < len(self.alphas) or not all(a > 0 for a in self.alphas):
            faults.append((f"alphas {self.alphas}", "alphas: different numbers above 0"))
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
    def middle(self) -> str:
        """The hybrid arm that stands for all where not all are trained: the paper's alpha, or the nearest to it."""
        return hybrid_name(min(self.alphas, key=lambda alpha: abs(alpha - RewardTrainingSettings.alpha)))

    def arms(self, regime: Regime) -> list[Arm]:
        """Return the arms that are trained in a regime, the standard one first."""
        hybrids = [Arm(hybrid_name(alpha), alpha) for alpha in self.alphas]
        if regime != self.main:
            hybrids = [arm for arm in hybrids if arm.name == self.middle]
        return [Arm(STANDARD, 0.0), *hybrids, Arm(DPO, 1.0, reward_weight=0.0)]

    @property
    def quantized(self) -> Arm:
        """The arm that trains as a large model would be trained."""
        return Arm(f"{self.middle}, NF4 + LoRA", float(self.middle.split()[1]), quantized=True)

    def model_of(self, arm: Arm) -> ModelSettings:
        """Return how an arm holds the backbone."""
        return replace(self.model, quantize="nf4") if arm.quantized else self.model

    def lora_of(self, arm: Arm) -> LoraSettings | None:
        """Return the adapters that an arm trains."""
        return self.lora or LoraSettings() if arm.quantized else self.lora


@dataclass(frozen=True)
class Job:
    """One training, and what is scored after it."""

    arm: str
    regime: Regime
    trained_on: str
    seed: int
    model: ModelSettings
    lora: LoraSettings | None
    training: RewardTrainingSettings
    pairs: tuple[PreferencePair, ...]
    texts: tuple[tuple[str, str], ...]
    reference_cache: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What one training gives."""

    arm: str
    regime: Regime
    trained_on: str
    seed: int
    log: tuple[dict[str, Any], ...]
    """The training's log."""
    rewards: Floats
    """Explicit reward of every text, NaN without a trained head. Shape [texts]."""
    policy_logps: Floats
    """`log pi(y|x)` of every text after training. Shape [texts]."""
    tokens: NDArray[np.int64]
    """Tokens of every response. Shape [texts]."""


def run_declared(
    declaration: Declaration, data: ExperimentData, folder: Path, *, workers: int = 1, progress: bool = True
) -> list[Outcome]:
    """Train and score everything that was declared. Killed, the same call goes on.

    Args:
        declaration: What to train.
        data: What on.
        folder: Where outcomes are kept as they come.
        workers: Processes; see `run_jobs`.
        progress: Show a bar on a terminal.
    """
    jobs = {job_name(job): job for job in plan(declaration, data, folder / "reference")}
    return list(
        run_jobs(run_job, jobs, folder, workers=workers, label="trainings", progress=progress).values()
    )


def plan(declaration: Declaration, data: ExperimentData, reference_cache: Path) -> list[Job]:
    """Return the jobs of a declaration, seed by seed, so that what is there after an interruption is paired."""
    texts = data.texts
    jobs: list[Job] = []
    for number, seed in enumerate(declaration.seeds):
        for trained_on, pool in data.pools.items():
            for regime in declaration.regimes:
                pairs = training_pairs(pool, regime, source=trained_on, seed=seed)
                arms = declaration.arms(regime)
                if regime == declaration.main and number < declaration.quantized_seeds:
                    arms = [*arms, declaration.quantized]
                jobs += [
                    make_job(
                        declaration,
                        arm,
                        regime,
                        trained_on,
                        seed,
                        pairs=pairs,
                        texts=texts,
                        reference_cache=reference_cache,
                    )
                    for arm in arms
                ]
    return jobs


def make_job(
    declaration: Declaration,
    arm: Arm,
    regime: Regime,
    trained_on: str,
    seed: int,
    *,
    pairs: Sequence[PreferencePair],
    texts: Sequence[tuple[str, str]],
    reference_cache: Path,
) -> Job:
    """Return one training of a declaration.

    Args:
        declaration: What all share, and what tuning chose.
        arm: How it trains.
        regime: What `pairs` were drawn for.
        trained_on: The pool that they were drawn from.
        seed: Of order and first weights.
        pairs: What it trains on.
        texts: What it scores then.
        reference_cache: Where the reference's log-probabilities are kept for all arms.
    """
    return Job(
        arm=arm.name,
        regime=regime,
        trained_on=trained_on,
        seed=seed,
        model=declaration.model_of(arm),
        lora=declaration.lora_of(arm),
        training=training_settings(declaration, arm, seed),
        pairs=tuple(pairs),
        texts=tuple(texts),
        reference_cache=str(reference_cache),
    )


def training_settings(declaration: Declaration, arm: Arm, seed: int) -> RewardTrainingSettings:
    """Return an arm's settings: what all share, what makes the arm, and what tuning chose for it.

    Raises:
        SettingsError: Tuning chose a setting that there is not.
    """
    tuned = dict(declaration.tuned.get(arm.name, {}))
    unknown = set(tuned) - set(asdict(declaration.training))
    if unknown:
        raise SettingsError(
            got=f"tuned settings {', '.join(sorted(unknown))} of {arm.name}",
            needed="settings of RewardTrainingSettings",
            fix="tune again",
        )
    made: dict[str, Any] = {"alpha": arm.alpha, "reward_weight": arm.reward_weight, "seed": seed}
    return replace(declaration.training, **(made | tuned))


def job_name(job: Job) -> str:
    """Return a name that is a file's too."""
    words = f"{job.trained_on} {job.regime.pairs}@{job.regime.flipped:g} {job.arm} seed {job.seed}"
    return "".join(letter if letter.isalnum() or letter in ".@+-" else "-" for letter in words)


def run_job(job: Job) -> Outcome:
    """Train one reward model and score all texts with it."""
    from workbench.rewards.scorer import Scorer, ScoringSettings
    from workbench.training.train import train_reward_model

    tokenizer = load_tokenizer(job.model)
    trained = train_reward_model(
        job.model,
        tokenizer,
        job.pairs,
        job.training,
        folder=None,
        lora=job.lora,
        reference_cache=job.reference_cache,
    )
    settings = ScoringSettings(
        job.training.encoding, batch_size=16 * job.training.micro_batch, beta=job.training.beta
    )
    found = _measured(Scorer(trained.model, tokenizer, settings), job.texts)
    rewards = found["rewards"] if job.training.reward_weight else np.full(len(job.texts), np.nan)
    return Outcome(
        job.arm,
        job.regime,
        job.trained_on,
        job.seed,
        trained.log,
        rewards,
        found["policy_logps"],
        found["tokens"],
    )


def untrained(model: ModelSettings, encoding: EncodingSettings, texts: Sequence[tuple[str, str]]) -> Floats:
    """Return `log ref(y|x)` of texts: what the backbone knows before any preference. Shape [texts]."""
    from workbench.models.reward_model import RewardModel
    from workbench.rewards.scorer import Scorer, ScoringSettings

    scorer = Scorer(RewardModel.load(model), load_tokenizer(model), ScoringSettings(encoding, batch_size=256))
    return _measured(scorer, texts)["policy_logps"]


def _measured(scorer: Any, texts: Sequence[tuple[str, str]]) -> dict[str, NDArray[Any]]:
    """Score texts in batches of like length; arrays in the order of the texts."""
    encoded = scorer.encode(texts)
    order = np.argsort([len(text.tokens) for text in encoded.texts], kind="stable")
    size = scorer.settings.batch_size
    parts = [scorer.measure(encoded.pick(order[i : i + size].tolist())) for i in range(0, len(order), size)]
    back = np.argsort(order)
    return {name: np.concatenate([part[name] for part in parts])[back] for name in parts[0]}
