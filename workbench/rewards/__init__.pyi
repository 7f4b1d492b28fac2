from .aspect_data import SpanExample as SpanExample
from .aspect_data import completeness_pairs as completeness_pairs
from .aspect_data import completeness_scores as completeness_scores
from .aspect_data import qa_sample as qa_sample
from .aspect_data import span_examples as span_examples
from .baselines import LengthReward as LengthReward
from .baselines import OracleReward as OracleReward
from .baselines import free_baselines as free_baselines
from .best_of_n import BestOfN as BestOfN
from .best_of_n import PromptSamples as PromptSamples
from .best_of_n import best_of_n as best_of_n
from .best_of_n import best_of_n_curve as best_of_n_curve
from .best_of_n import best_of_n_value as best_of_n_value
from .best_of_n import sample_responses as sample_responses
from .cached import Cached as Cached
from .composition import HierarchicalReward as HierarchicalReward
from .composition import HierarchySettings as HierarchySettings
from .composition import Scored as Scored
from .functions import FunctionReward as FunctionReward
from .grammar import GrammarReward as GrammarReward
from .grammar import grammar_available as grammar_available
from .hierarchy import MODES as MODES
from .hierarchy import hierarchical_reward as hierarchical_reward
from .hierarchy import passes as passes
from .hierarchy import sigmoid_shaping as sigmoid_shaping
from .judge import Comparison as Comparison
from .judge import Judge as Judge
from .judge import OracleJudge as OracleJudge
from .judge import Preference as Preference
from .judge import RewardJudge as RewardJudge
from .judge import order_effect as order_effect
from .judge import round_robin as round_robin
from .judge import win_rates as win_rates
from .judge_endpoint import EndpointJudge as EndpointJudge
from .judge_endpoint import JudgeSettings as JudgeSettings
from .judge_endpoint import TextJudge as TextJudge
from .normalization import Normalization as Normalization
from .normalization import Normalized as Normalized
from .normalization import fit_normalization as fit_normalization
from .placement import DecodedResponses as DecodedResponses
from .placement import decode_responses as decode_responses
from .placement import place_on_tokens as place_on_tokens
from .random_gate import RandomGateReward as RandomGateReward
from .scorer import Scorer as Scorer
from .scorer import ScoringSettings as ScoringSettings
from .scoring import ModelReward as ModelReward
from .scoring import reward_values as reward_values
from .scoring import score_pairs as score_pairs
from .scoring import score_pairs_with as score_pairs_with
from .selection import Selection as Selection
from .selection import inconsistency as inconsistency
from .selection import pairs_within as pairs_within
from .selection import select_aspects as select_aspects
from .sequence_model import SequenceModelReward as SequenceModelReward
from .span_agreement import SpanAgreement as SpanAgreement
from .span_agreement import span_agreement as span_agreement
from .span_encoding import FACTUALITY as FACTUALITY
from .span_encoding import RELEVANCE as RELEVANCE
from .span_encoding import SpanSettings as SpanSettings
from .span_models import SpanClassifierReward as SpanClassifierReward
from .span_models import save_span_classifier as save_span_classifier
from .spans import Reward as Reward
from .spans import Sample as Sample
from .spans import Span as Span
from .spans import mapped as mapped
from .spans import sequence_score as sequence_score
from .spans import whole as whole
from .translation import LanguageConfidence as LanguageConfidence
from .translation import Readability as Readability

__all__ = [
    "FACTUALITY",
    "MODES",
    "RELEVANCE",
    "BestOfN",
    "Cached",
    "Comparison",
    "DecodedResponses",
    "EndpointJudge",
    "FunctionReward",
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
    "TextJudge",
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
    "whole",
    "win_rates",
]
