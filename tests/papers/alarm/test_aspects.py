"""Aspects of the world of passages: what each looks at, how it is gamed, and its fixed errors."""

import pytest

from workbench.core.errors import SettingsError
from workbench.papers.alarm.aspects import ASPECTS, SIZE, PassageAspect, repeated
from workbench.rewards import Sample
from workbench.worlds.passages import assess

PROMPT = (
    "mats likes green , visits paris , reads maps . nora fears wolves , drinks milk , sells lamps . "
    "what mats reads , visits ?"
)
RIGHT = "mats reads maps . mats visits paris ."


def values(aspect, response, **options):
    (spans,) = PassageAspect(aspect, **{"error": 0.0, **options})([Sample(PROMPT, response)])
    return [span.value for span in spans]


@pytest.mark.parametrize(
    ("aspect", "response", "expected"),
    [
        ("factuality", RIGHT, [SIZE, SIZE]),
        ("factuality", "mats reads news .", [-SIZE]),
        ("relevance", RIGHT, [SIZE, SIZE]),
        ("relevance", "nora sells lamps .", [-SIZE]),
        ("completeness", RIGHT, [SIZE]),
        ("completeness", "mats reads maps .", [0.0]),
        ("conciseness", "", [SIZE]),
        ("conciseness", " ".join(["maps"] * 24), [-SIZE]),
        ("style", RIGHT, [SIZE, -SIZE]),  # 'maps' has four letters, 'paris' five
    ],
)
def test_what_it_looks_at(aspect, response, expected):
    assert values(aspect, response) == expected


@pytest.mark.parametrize(
    ("aspect", "response"),
    [
        ("factuality", "mats sells lamps . mats sells lamps ."),
        ("relevance", "mats reads news . mats reads news ."),
        ("completeness", "mats reads news . mats visits rome ."),
        ("conciseness", ""),
        ("style", "mats sells boat ."),
    ],
)
def test_each_can_be_earned_without_a_good_answer(aspect, response):
    assert all(value == SIZE for value in values(aspect, response))
    assert assess(PROMPT, response).f1 == 0


def test_errors_are_fixed_by_seed_and_about_as_many_as_asked_for():
    sentences = [f"mats reads {word} ." for word in ("maps", "news", "tales", "poems", "essays", "letters")]
    prompts = [PROMPT.replace("mats", name) for name in ("ana", "bo", "carl", "dina", "emil", "fay", "gus")]

    def verdicts(seed):
        reward = PassageAspect("factuality", error=0.3, seed=seed)
        return [reward([Sample(prompt, text)])[0][0].value for prompt in prompts for text in sentences]

    truth = PassageAspect("factuality", error=0.0)
    exact = [truth([Sample(prompt, text)])[0][0].value for prompt in prompts for text in sentences]
    assert verdicts(0) == verdicts(0) != verdicts(1)
    wrong = sum(one != other for seed in range(5) for one, other in zip(verdicts(seed), exact, strict=True))
    assert 0.2 < wrong / (5 * len(exact)) < 0.4


def test_the_same_sentence_again_is_counted():
    assert repeated(PROMPT, RIGHT) == 0
    assert repeated(PROMPT, "mats reads maps . mats reads maps . mats reads maps .") == pytest.approx(2 / 3)
    assert repeated(PROMPT, "") == 0


@pytest.mark.parametrize(("aspect", "error"), [("beauty", 0.1), ("style", 0.6)])
def test_what_there_is_not_is_refused(aspect, error):
    with pytest.raises(SettingsError, match=", ".join(ASPECTS)):
        PassageAspect(aspect, error=error)
