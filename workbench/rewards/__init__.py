"""Rewards: one protocol for whole answers and parts of them, their hierarchy, and how aspects are chosen."""

from workbench.rewards.hierarchy import MODES, hierarchical_reward, passes, sigmoid_shaping
from workbench.rewards.normalization import Normalization, Normalized, fit_normalization
from workbench.rewards.placement import DecodedResponses, decode_responses, place_on_tokens
from workbench.rewards.selection import Selection, inconsistency, pairs_within, select_aspects
from workbench.rewards.spans import Reward, Sample, Span, mapped, sequence_score, whole

__all__ = [
    "MODES",
    "DecodedResponses",
    "Normalization",
    "Normalized",
    "Reward",
    "Sample",
    "Selection",
    "Span",
    "decode_responses",
    "fit_normalization",
    "hierarchical_reward",
    "inconsistency",
    "mapped",
    "pairs_within",
    "passes",
    "place_on_tokens",
    "select_aspects",
    "sequence_score",
    "sigmoid_shaping",
    "whole",
]
