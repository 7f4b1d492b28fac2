"""A secret is refused where it would be written, and hidden where it slipped in."""

import pytest

from workbench.core.errors import SettingsError
from workbench.store.secrets import HIDDEN, names_secret, redact, refuse_secrets


@pytest.mark.parametrize(
    "name", ["api_key", "OPENAI_API_KEY", "token", "hf-token", "password", "client_secret"]
)
def test_names_of_secrets(name):
    assert names_secret(name)


@pytest.mark.parametrize("name", ["max_tokens", "keyboard", "tokenizer", "monkey", "seed"])
def test_names_of_other_things(name):
    assert not names_secret(name)


def test_secrets_are_refused_without_repeating_them():
    with pytest.raises(SettingsError) as raised:
        refuse_secrets({"api_key": "abc123", "seed": 1})
    assert "api_key" in str(raised.value)
    assert "abc123" not in str(raised.value)


def test_an_empty_or_numeric_value_is_no_secret():
    refuse_secrets({"token": "", "key": 3})


def test_secrets_are_hidden_by_name_and_by_shape():
    given = {
        "password": "hunter2",
        "url": "https://me:pw@host/v1",
        "list": ["hf_" + "a" * 30, "sk-" + "b" * 30],
        "n": 3,
    }
    hidden = {"password": HIDDEN, "url": f"https://{HIDDEN}@host/v1", "list": [HIDDEN, HIDDEN], "n": 3}
    assert redact(given) == hidden
