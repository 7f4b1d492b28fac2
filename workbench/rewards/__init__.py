"""Rewards: one protocol for whole answers and parts of them, their hierarchy, and how aspects are chosen."""

from workbench.rewards.cached import Cached
from workbench.rewards.composition import HierarchicalReward, HierarchySettings, Scored
from workbench.rewards.grammar import GrammarReward, grammar_available
from workbench.rewards.hierarchy import MODES, hierarchical_reward, passes, sigmoid_shaping
from workbench.rewards.normalization import Normalization, Normalized, fit_normalization
from workbench.rewards.placement import DecodedResponses, decode_responses, place_on_tokens
from workbench.rewards.selection import Selection, inconsistency, pairs_within, select_aspects
from workbench.rewards.sequence_model import SequenceModelReward
from workbench.rewards.span_encoding import FACTUALITY, RELEVANCE, SpanSettings
from workbench.rewards.span_models import SpanClassifierReward, save_span_classifier
from workbench.rewards.spans import Reward, Sample, Span, mapped, sequence_score, whole
from workbench.rewards.translation import LanguageConfidence, Readability

__all__ = [
    "FACTUALITY",
    "MODES",
    "RELEVANCE",
    "Cached",
    "DecodedResponses",
    "GrammarReward",
    "HierarchicalReward",
    "HierarchySettings",
    "LanguageConfidence",
    "Normalization",
    "Normalized",
    "Readability",
    "Reward",
    "Sample",
    "Scored",
    "Selection",
    "SequenceModelReward",
    "Span",
    "SpanClassifierReward",
    "SpanSettings",
    "decode_responses",
    "fit_normalization",
    "grammar_available",
    "hierarchical_reward",
    "inconsistency",
    "mapped",
    "pairs_within",
    "passes",
    "place_on_tokens",
    "save_span_classifier",
    "select_aspects",
    "sequence_score",
    "sigmoid_shaping",
    "whole",
]
