"""Rewards: one protocol for whole answers and parts of them, their hierarchy, and what they are good for."""

from workbench.rewards.aspect_data import (
    SpanExample,
    completeness_pairs,
    completeness_scores,
    qa_sample,
    span_examples,
)
from workbench.rewards.baselines import LengthReward, OracleReward, free_baselines
from workbench.rewards.best_of_n import (
    BestOfN,
    PromptSamples,
    TextGenerator,
    best_of_n,
    best_of_n_curve,
    best_of_n_value,
    sample_responses,
)
from workbench.rewards.cached import Cached
from workbench.rewards.composition import HierarchicalReward, HierarchySettings, Scored
from workbench.rewards.grammar import GrammarReward, grammar_available
from workbench.rewards.hierarchy import MODES, hierarchical_reward, passes, sigmoid_shaping
from workbench.rewards.judge import (
    Comparison,
    Judge,
    OracleJudge,
    Preference,
    RewardJudge,
    order_effect,
    round_robin,
    win_rates,
)
from workbench.rewards.judge_endpoint import EndpointJudge, JudgeSettings
from workbench.rewards.normalization import Normalization, Normalized, fit_normalization
from workbench.rewards.placement import DecodedResponses, decode_responses, place_on_tokens
from workbench.rewards.random_gate import RandomGateReward
from workbench.rewards.scorer import Scorer, ScoringSettings
from workbench.rewards.scoring import ModelReward, reward_values, score_pairs, score_pairs_with
from workbench.rewards.selection import Selection, inconsistency, pairs_within, select_aspects
from workbench.rewards.sequence_model import SequenceModelReward
from workbench.rewards.span_agreement import SpanAgreement, span_agreement
from workbench.rewards.span_encoding import FACTUALITY, RELEVANCE, SpanSettings
from workbench.rewards.span_models import SpanClassifierReward, save_span_classifier
from workbench.rewards.spans import Reward, Sample, Span, mapped, sequence_score, whole
from workbench.rewards.translation import LanguageConfidence, Readability
from workbench.training.spans import SpanTrainingSettings, train_span_classifier

__all__ = [
    "FACTUALITY",
    "MODES",
    "RELEVANCE",
    "BestOfN",
    "Cached",
    "Comparison",
    "DecodedResponses",
    "EndpointJudge",
    "GrammarReward",
    "HierarchicalReward",
    "HierarchySettings",
    "Judge",
    "JudgeSettings",
    "LanguageConfidence",
    "LengthReward",
    "ModelReward",
    "Normalization",
    "Normalized",
    "OracleJudge",
    "OracleReward",
    "Preference",
    "PromptSamples",
    "RandomGateReward",
    "Readability",
    "Reward",
    "RewardJudge",
    "Sample",
    "Scored",
    "Scorer",
    "ScoringSettings",
    "Selection",
    "SequenceModelReward",
    "Span",
    "SpanAgreement",
    "SpanClassifierReward",
    "SpanExample",
    "SpanSettings",
    "SpanTrainingSettings",
    "TextGenerator",
    "best_of_n",
    "best_of_n_curve",
    "best_of_n_value",
    "completeness_pairs",
    "completeness_scores",
    "decode_responses",
    "fit_normalization",
    "free_baselines",
    "grammar_available",
    "hierarchical_reward",
    "inconsistency",
    "mapped",
    "order_effect",
    "pairs_within",
    "passes",
    "place_on_tokens",
    "qa_sample",
    "reward_values",
    "round_robin",
    "sample_responses",
    "save_span_classifier",
    "score_pairs",
    "score_pairs_with",
    "select_aspects",
    "sequence_score",
    "sigmoid_shaping",
    "span_agreement",
    "span_examples",
    "train_span_classifier",
    "whole",
    "win_rates",
]
