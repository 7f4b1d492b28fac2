"""Verdicts against labels: by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_classifiers import save_classifier

from workbench.core.errors import DataError
from workbench.models import ModelSettings
from workbench.rewards import FACTUALITY, Sample, SpanClassifierReward, SpanExample, span_agreement


def test_agreement_by_hand(tmp_path: Path) -> None:
    """Verdicts wrong, right, right, wrong against labels wrong, wrong, right, right; one segment has no label."""
    reward = SpanClassifierReward.load(
        ModelSettings(str(save_classifier(tmp_path, labels=("ERR", "O"))), device="cpu"), FACTUALITY
    )
    judged = [False, True, True, False, True]
    reward._judge = lambda batch: [judged]  # type: ignore[method-assign,assignment]
    text = "Cows moo. Hay is dry. Goats run. Birds sing. Dogs bark."
    segments = ((0, 9), (10, 21), (22, 32), (33, 44), (45, 55))
    one = SpanExample(Sample("p", text), segments, (False, False, True, True, None))
    found = span_agreement(reward, [one])
    assert (found.segments, found.wrong, found.accuracy, found.baseline) == (4, 2, 0.5, 0.5)
    assert (found.precision, found.recall, found.f1) == (0.5, 0.5, 0.5)
    with pytest.raises(DataError, match="segmentation='sentence'"):
        span_agreement(reward, [SpanExample(one.sample, ((0, 2),), (True,))])
