"""The closed vocabulary of the fictional libraries, as a tokenizer of transformers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workbench.worlds.libraries.lexicon import CALL_PIECES, END, SIGNS, words
from workbench.worlds.libraries.library import SYLLABLES

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

__all__ = ["make_tokenizer", "vocabulary"]

PAD, UNKNOWN, NEW_LINE = "[PAD]", "[UNK]", "[LINE]"
_PIECE = rf"\[LINE\]|{'|'.join(map(re.escape, CALL_PIECES))}|[A-Za-z_]+|[0-9]|[^\sA-Za-z_0-9]"


def vocabulary() -> list[str]:
    """List every token: marks, signs, digits, words, and the syllables at the front and the back of a name."""
    front = [syllable for syllable in SYLLABLES if syllable not in words()]
    back = [f"##{syllable}" for syllable in SYLLABLES]
    marks = [PAD, UNKNOWN, END, NEW_LINE]
    return [*marks, *CALL_PIECES, *SIGNS.split(), *"0123456789", *sorted(words()), *front, *back]


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Make the tokenizer: a word is a token, an invented name is two, a line's end is one.

    It is a WordPiece tokenizer, so `save_pretrained` and `AutoTokenizer` work as with any other.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    places = {token: place for place, token in enumerate(vocabulary())}
    core = Tokenizer(models.WordPiece(places, unk_token=UNKNOWN, max_input_chars_per_word=40))
    core.normalizer = normalizers.Replace("\n", f" {NEW_LINE} ")
    core.pre_tokenizer = pre_tokenizers.Split(Regex(_PIECE), behavior="removed", invert=True)
    core.decoder = decoders.Sequence(
        [decoders.WordPiece(prefix="##", cleanup=False), decoders.Fuse(), decoders.Replace(NEW_LINE, "\n")]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token=PAD,
        unk_token=UNKNOWN,
        eos_token=END,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )
