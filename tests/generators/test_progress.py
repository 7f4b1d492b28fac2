"""The bar of a model that answers."""

from __future__ import annotations

import pytest

from workbench.generators.progress import AnswerBar


def test_it_tells_tokens_a_second_and_moves_while_no_answer_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    now = [100.0]
    with AnswerBar("hf:model", 4, clock=lambda: now[0]) as bar:
        assert bar.rate() == ""
        for _ in range(10):
            now[0] += 0.2
            bar.wrote(8)
        assert bar.rate() == "40 tokens/s"  # 80 in 2 seconds
        bar.answered()
    shown = capsys.readouterr().err
    assert "1/4" in shown
    assert "40 tokens/s" in shown


def test_it_is_silent_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with AnswerBar("hf:model", 1) as bar:
        bar.wrote(1)
        bar.answered()
    assert capsys.readouterr().err == ""
