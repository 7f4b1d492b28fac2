"""The tokenizer: closed vocabulary, short code, and text that survives the way there and back."""

from random import Random

from transformers import AutoTokenizer

from workbench.worlds.libraries.coder import tidied
from workbench.worlds.libraries.library import invent_library, names
from workbench.worlds.libraries.tasks import draw_task
from workbench.worlds.libraries.tokenizer import make_tokenizer, vocabulary


def test_every_invented_name_is_two_tokens():
    tokenizer = make_tokenizer()
    ids = tokenizer([*names("training"), *names("unseen")])["input_ids"]
    assert {len(one) for one in ids} == {2}
    assert tokenizer.unk_token_id not in {token for one in ids for token in one}


def test_code_is_short():
    assert make_tokenizer().tokenize("x = zumi(x)\nx = koba(3, x)\nx = luvi(x, by=4)") == [
        *("x =", "zu", "##mi", "(x)", "[LINE]"),
        *("x =", "ko", "##ba", "(", "3", ", x)", "[LINE]"),
        *("x =", "lu", "##vi", "(x,", "by=", "4", ")"),
    ]


def test_programs_come_back_as_they_were_written(tmp_path):
    tokenizer = make_tokenizer()
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    for seed in range(30):
        random = Random(seed)
        program = draw_task(random, invent_library(random), 3).program
        ids = tokenizer(program)["input_ids"]
        assert loaded(program)["input_ids"] == ids
        assert tidied(loaded.decode(ids)) == program


def test_the_vocabulary_has_each_token_once():
    tokens = vocabulary()
    assert len(set(tokens)) == len(tokens) == len(make_tokenizer())
    assert "zero" in tokens and "zumi" not in tokens


def test_a_word_from_elsewhere_is_unknown():
    tokenizer = make_tokenizer()
    assert tokenizer.tokenize("quixotic reverse") == ["[UNK]", "reverse"]
