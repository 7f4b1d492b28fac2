"""Stop texts, found token by token."""

from __future__ import annotations

from typing import Any

import pytest
from tiny_model import make_tiny_model
from transformers import AutoTokenizer

from workbench.generators.stopping import StopTexts


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return AutoTokenizer.from_pretrained(make_tiny_model(tmp_path_factory.mktemp("model")))


def ends_at(stops: StopTexts, tokens: list[int]) -> int | None:
    """Return after how many tokens the text ended."""
    return next((count for count in range(1, len(tokens) + 1) if stops.end(tokens[:count])), None)


@pytest.mark.parametrize("stop", ["END", "\nEND", "df.s", "é!", "日本", "a b ", "x\n", "=", "```"])
def test_a_text_ends_with_the_token_that_completes_a_stop_text(tokenizer: Any, stop: str) -> None:
    before = "import numpy as np\nresult = df .sum() EN D\n  日 本 é ` `` a b"
    tokens = [int(one) for one in tokenizer(before.replace(stop, "") + stop + " and more")["input_ids"]]
    ended = ends_at(StopTexts(tokenizer, [stop, "never written"]), tokens)
    texts = [tokenizer.decode(tokens[:count]) for count in range(1, len(tokens) + 1)]
    assert ended == next(count for count, text in enumerate(texts, start=1) if stop in text)


def test_nothing_ends_without_a_stop_text(tokenizer: Any) -> None:
    tokens = [int(one) for one in tokenizer("result = 1\nEND")["input_ids"]]
    assert ends_at(StopTexts(tokenizer, []), tokens) is None
    assert ends_at(StopTexts(tokenizer, ["END."]), tokens) is None
    assert StopTexts(tokenizer, []).before("a END b") == "a END b"


def test_a_text_is_cut_before_the_first_stop_text(tokenizer: Any) -> None:
    stops = StopTexts(tokenizer, ["END", "</code>"])
    assert stops.before("a </code> b END") == "a "
    assert stops.before("a END b </code>") == "a "


def test_few_tokens_are_decoded_within_their_text(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stops = StopTexts(tokenizer, ["</code>"])
    tokens = [int(one) for one in tokenizer("import numpy as np\nresult = df.sum()\n" * 9)["input_ids"]]
    decoded: list[int] = []
    decode = stops._decoded
    monkeypatch.setattr(stops, "_decoded", lambda some: decoded.append(len(some)) or decode(some))
    assert ends_at(stops, tokens) is None
    assert set(decoded) == {1}
    assert len(decoded) == len(set(tokens))  # each token once, however often it is written
