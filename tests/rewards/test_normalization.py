"""z-normalisation: fitted, saved, and the paper's numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from workbench.core.errors import DataError, SettingsError
from workbench.rewards import Normalization, Normalized, Sample, Span, fit_normalization, whole


class Length:
    """A reward for tests: the response's length, once for the whole and once for its first letter."""

    name = "length"

    def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
        return [[whole(one, len(one.response)), Span(0, 1, len(one.response))] for one in samples]


SAMPLES = [Sample("p", "x"), Sample("p", "xxx"), Sample("p", "xxxxx")]


def test_fitted_scores_have_mean_0_and_spread_1() -> None:
    fitted = Normalization.fit([1.0, 3.0, 5.0])
    assert (fitted.mean, fitted.samples) == (3.0, 3)
    assert fitted.sd == pytest.approx(np.sqrt(8 / 3))
    np.testing.assert_allclose(fitted([[3.0], [3.0 + fitted.sd]]), [[0.0], [1.0]])
    assert fit_normalization(Length(), SAMPLES) == fitted


def test_the_papers_completeness_by_hand() -> None:
    """(10 + 0.447) / 8.301 * 0.3."""
    reward = Normalized(Length(), Normalization(-0.447, 8.301), scale=0.3)
    (spans,) = reward([Sample("p", "x" * 10)])
    assert [span.value for span in spans] == pytest.approx([0.3775569] * 2)
    assert (spans[0].start, spans[0].end, reward.name) == (0, 10, "length")


def test_it_is_the_same_after_saving(tmp_path: Path) -> None:
    fitted = Normalization.fit([0.1, 0.2, 0.7])
    assert Normalization.load(fitted.save(tmp_path / "deep" / "z.json")) == fitted


@pytest.mark.parametrize("values", [[], [1.0], [0.1 + 0.2, 0.3], [1.0, np.inf]])
def test_scores_that_give_no_scale_are_refused(values: list[float]) -> None:
    with pytest.raises(DataError, match="at least two finite scores that differ"):
        Normalization.fit(values)


def test_a_spread_of_0_is_refused() -> None:
    with pytest.raises(SettingsError, match="above 0"):
        Normalization(1.0, 0.0)


@pytest.mark.parametrize("content", [None, "{", '{"mean": 1}', "[]", '{"mean": 1, "sd": 2, "of": 3}'])
def test_a_file_that_holds_something_else_is_said(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "z.json").write_text(content)
    with pytest.raises(DataError, match=r"z\.json"):
        Normalization.load(tmp_path / "z.json")
