"""Texts that users read use the field's words, and none that only this project would know."""

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from paper_notebooks import NOTEBOOKS, cells

from workbench.cli.main import cli

ROOT = Path(__file__).resolve().parents[1]
REPLACED = {
    r"prices? (?:of|for) (?:KL|a nat)": "KL coefficient",
    r"nats? from the start|KL to the start": "KL to the reference policy",
    r"uses of chance|luck of sampling|same luck": "sampling noise, seed",
    r"(?:gate (?:that )?(?:opens )?)by chance": "random gate",
    r"\baskings\b|\bone asking\b": "position swap",
    r"by the likeliest answers|the likeliest answers": "greedy answers",
    r"everything says of|says? of these": "scores",
    r"answers a (?:problem|prompt|rollout)\b": "answers per problem",
    r"what costs nothing": "baselines without training",
    r"by heart": "memorized",
}
"""Phrases of before, as regular expressions, and what the field says."""
TERMS = {
    "notebooks/alarm.ipynb": ("reference policy", "KL coefficient", "rollout", "ablation", "SFT", "sampling noise",
                              "hyperparameters", "held-out", "position swap", "win rate", "checkpoint"),
    "notebooks/haf_rm.ipynb": ("reference policy", "ablation", "hyperparameters", "held-out", "position swap",
                               "win rate", "checkpoint", "reward head"),
    "notebooks/arks.ipynb": ("ablation", "held out", "gold documents", "query", "seed"),
    "notebooks/ds1000.ipynb": ("memorized", "sampling temperature", "greedy", "pass@1"),
    "README.md": ("reference policy", "KL coefficient", "rollout", "ablation", "SFT", "hyperparameters", "held-out",
                  "checkpoint", "win rate", "position swap", "sampling noise"),
}  # fmt: skip
"""Where a reader looks for a term."""


def notebook_text(name: str) -> str:
    return "\n".join("".join(cell["source"]) for cell in cells(name))


def every_help(group: click.Group = cli, words: tuple[str, ...] = ()) -> str:
    """Return the whole help of every command."""
    texts = []
    for name in group.list_commands(None):
        command = group.get_command(click.Context(group), name)
        options = {option for parameter in command.params for option in parameter.opts}
        long = "--help-all" if "--help-all" in options else "--help"
        texts.append(CliRunner().invoke(cli, [*words, name, long]).output)
        if isinstance(command, click.Group):
            texts.append(every_help(command, (*words, name)))
    return "\n".join(texts)


def faults(text: str) -> list[str]:
    """Return the replaced phrases in a text, each with what to say instead; line ends are spaces."""
    flat = re.sub(r"\s+", " ", text)
    return [
        f"{found.group()!r}: say {instead}"
        for phrase, instead in REPLACED.items()
        for found in re.finditer(phrase, flat, re.IGNORECASE)
    ]


def test_a_replaced_phrase_is_found_across_lines():
    assert faults("at a low price\n  of KL, an arm") == ["'price of KL': say KL coefficient"]
    assert faults("at a low KL coefficient, an arm") == []


@pytest.mark.parametrize("name", sorted(file.stem for file in NOTEBOOKS.glob("*.ipynb")))
def test_notebooks_use_none_of_the_replaced_phrases(name):
    assert faults(notebook_text(name)) == []


def test_the_command_line_uses_none_of_the_replaced_phrases():
    assert faults(every_help()) == []


@pytest.mark.parametrize("file", ["README.md", "workbench/README.md", *sorted(
    str(path.relative_to(ROOT)) for path in (ROOT / "data").glob("*/README.md"))])  # fmt: skip
def test_pages_use_none_of_the_replaced_phrases(file):
    assert faults((ROOT / file).read_text(encoding="utf-8")) == []


def test_the_code_uses_none_of_the_replaced_phrases():
    found = {
        str(file.relative_to(ROOT)): said
        for file in sorted((ROOT / "workbench").rglob("*.py"))
        if (said := faults(file.read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize("place", TERMS)
def test_the_fields_terms_are_where_a_reader_looks_for_them(place):
    file = ROOT / place
    text = notebook_text(file.stem) if file.suffix == ".ipynb" else file.read_text(encoding="utf-8")
    flat = re.sub(r"[\s*]+", " ", text).lower()
    assert [term for term in TERMS[place] if term.lower() not in flat] == []
