"""Judges: verdicts by hand, an endpoint on loopback that refuses, fails and is asked again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openai_endpoint import Endpoint, Reply, chat
from tiny_classifiers import save_classifier

from workbench.core.errors import DataError, GeneratorError, SettingsError
from workbench.core.statistics import win_rate
from workbench.models.encoding import encode
from workbench.rewards.baselines import LengthReward
from workbench.rewards.judge import (
    Comparison,
    OracleJudge,
    Preference,
    RewardJudge,
    agreed,
    order_effect,
    round_robin,
    win_rates,
)
from workbench.rewards.judge_by_name import make_judge
from workbench.rewards.judge_endpoint import EndpointJudge, JudgeSettings, parse_verdict, question_template

FIRST, SECOND, TIE, REFUSED = Preference.FIRST, Preference.SECOND, Preference.TIE, Preference.REFUSED
KEY = "sk-very-secret-0123456789"
SETTINGS = JudgeSettings(retries=1, timeout_s=5.0, concurrency=2)


def test_an_oracle_prefers_utility_and_calls_near_ones_a_tie() -> None:
    judge = OracleJudge(lambda prompt, response: float(response), tolerance=0.5)
    assert judge.compare("p", "2", "1") is FIRST
    assert judge.compare("p", "1", "2") is SECOND
    assert judge.compare("p", "1", "1.5") is TIE
    assert judge.compare_all([]) == []
    with pytest.raises(SettingsError, match="tolerance"):
        OracleJudge(lambda prompt, response: 0.0, tolerance=-1)


def test_any_reward_judges() -> None:
    judge = RewardJudge(LengthReward("shorter"))
    assert judge.name == "shorter wins"
    assert judge.compare_all([Comparison("p", "a", "bb"), Comparison("p", "bb", "a")]) == [FIRST, SECOND]


@pytest.mark.parametrize(("cut", "kept"), [("beginning", "why?"), ("end", "who?")])
def test_a_reward_model_of_elsewhere_reads_all_that_it_can_as_a_judge(
    cut: str, kept: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """128 tokens, what HaF-RM trains with, are no limit of a model that others made."""
    folder = save_classifier(tmp_path, task="SequenceClassification")  # made for 1,023 tokens, letters here
    judge: Any = make_judge(f"reward:{folder}", device="cpu", cut=cut)
    prompt = "who?" + "a" * 600 + "why?"
    judge.compare(prompt[200:], "x", "y")
    assert "prompts" not in capsys.readouterr().out
    judge.compare(prompt, "x", "y")
    assert f"2 prompts (100.0%) lost their {cut}" in capsys.readouterr().out
    read = encode([(prompt, "x")], judge.reward.tokenizer, judge.reward.encoding)[0]
    text = judge.reward.tokenizer.decode(read.tokens)
    assert kept in text and len(read.tokens) > 500


def test_judges_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = save_classifier(tmp_path / "scorer", task="SequenceClassification")
    judge = make_judge(f"reward:{folder}", device="cpu")
    here = judge.compare("p", "The cow eats grass.", "Hay is dried grass.")
    assert here in (FIRST, SECOND)
    assert judge.compare("p", "Hay is dried grass.", "The cow eats grass.") is here.turned
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert make_judge("openai:someone", path=tmp_path / "replies.jsonl").name == "openai:someone"
    for name in ("someone", "openai:", "hf:", "else:someone"):
        with pytest.raises(SettingsError, match="reward:NAME-OR-FOLDER"):
            make_judge(name)


@pytest.mark.parametrize(
    ("forward", "backward", "expected"),
    [
        (FIRST, FIRST, FIRST),
        (SECOND, SECOND, SECOND),
        (TIE, TIE, TIE),
        (FIRST, SECOND, TIE),
        (FIRST, TIE, TIE),
        (FIRST, REFUSED, REFUSED),
        (REFUSED, REFUSED, REFUSED),
    ],
)
def test_disagreement_is_a_tie_and_half_a_refusal_a_refusal(
    forward: Preference, backward: Preference, expected: Preference
) -> None:
    assert agreed(forward, backward) is expected
    assert agreed(backward, forward) is expected


def test_win_rates_by_hand() -> None:
    found = win_rates([FIRST, FIRST, TIE, SECOND, REFUSED])
    assert found == (win_rate([1, 1, 0, -1]), 2, 1, 1, 1)
    assert found.rate.value == 0.625
    with pytest.raises(DataError, match="no verdict in 2 comparisons"):
        win_rates([REFUSED, REFUSED])


def test_the_effect_of_order_by_hand() -> None:
    # the same; read first wins twice; refused
    found = order_effect([(FIRST, FIRST), (FIRST, SECOND), (REFUSED, FIRST)])
    assert (found.same.value, found.refused) == (0.5, 1)
    # askings: the first read won, lost (turned back to the second's win), won, won
    assert found.read_first.value == 0.75
    with pytest.raises(DataError):
        order_effect([(REFUSED, FIRST)])


def test_a_round_robin_meets_both_ways() -> None:
    found = round_robin(
        RewardJudge(LengthReward()), ["p", "q"], {"a": ["x", "xx"], "b": ["xx", "xx"], "c": ["", ""]}
    )
    assert list(found) == [("a", "b"), ("a", "c"), ("b", "a"), ("b", "c"), ("c", "a"), ("c", "b")]
    assert (found["a", "b"].rate.value, found["b", "a"].rate.value) == (0.25, 0.75)
    assert found["c", "b"].losses == 2


@pytest.mark.parametrize("responses", [{"a": ["x"]}, {"a": ["x"], "b": []}])
def test_a_round_robin_needs_a_response_of_each(responses: dict[str, list[str]]) -> None:
    with pytest.raises(SettingsError):
        round_robin(RewardJudge(LengthReward()), ["p"], responses)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("A", FIRST),
        ("b", SECOND),
        (" C.\n", TIE),
        ("**B**", SECOND),
        ("[[A]]", FIRST),
        ("Answer: B", SECOND),
        ("The first is more honest.\n\nFinal verdict: A", FIRST),
        ("Response B", SECOND),
        ("", REFUSED),
        (None, REFUSED),
        ("I cannot judge this.", REFUSED),
        ("A or B", REFUSED),
        ("As an AI, I", REFUSED),
        ("A is better because", REFUSED),
        ("D", REFUSED),
        ("Banana", REFUSED),
        ("<think>\nA is longer.\n</think>\nB", SECOND),
        ("<think>\nLet me see. The first:\nA", REFUSED),
    ],
)
def test_a_verdict_is_one_letter_on_the_last_line(reply: str | None, expected: Preference) -> None:
    assert parse_verdict(reply) is expected


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Endpoint]]:
    started: list[Endpoint] = []

    def start(answer: Callable[[str, int], str | int | None]) -> Endpoint:
        """Answer questions by a function of their text and number; None: a refusal; a number: that status."""

        def reply(path: str, body: dict[str, Any], number: int) -> Reply:
            found = answer(body["messages"][-1]["content"], number)
            return (found, {"error": {"message": "busy"}}) if isinstance(found, int) else chat(found)

        started.append(Endpoint(reply))
        monkeypatch.setenv("OPENAI_BASE_URL", started[-1].url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        return started[-1]

    yield start
    for one in started:
        one.close()


def responses_in(question: str) -> tuple[str, str]:
    first, second = question.partition("[response A]\n")[2].split("\n\n[response B]\n")
    return first, second.partition("\n\nReply")[0]


def longer(question: str, number: int) -> str:
    first, second = map(len, responses_in(question))
    return "A" if first > second else "B" if second > first else "C"


def judge(path: Path | None = None, settings: JudgeSettings = SETTINGS) -> EndpointJudge:
    return EndpointJudge("some-model", settings, path=path, progress=False)


def test_both_orders_are_asked_and_say_all_that_the_settings_say(endpoint: Callable[..., Endpoint]) -> None:
    server = endpoint(longer)
    assert judge().compare("Why?", "Because.", "No.") is FIRST
    assert judge().compare("Why?", "No.", "Because.") is SECOND
    assert sorted(map(responses_in, (body["messages"][0]["content"] for body in server.bodies[:2]))) == [
        ("Because.", "No."),
        ("No.", "Because."),
    ]
    body = server.bodies[0]
    assert (body["model"], body["temperature"], body["max_tokens"], body["seed"]) == (
        "some-model",
        0.0,
        16,
        0,
    )
    assert "Why?" in body["messages"][0]["content"]


def test_a_judge_that_always_prefers_what_it_reads_first_finds_ties(
    endpoint: Callable[..., Endpoint],
) -> None:
    endpoint(lambda question, number: "A")
    comparisons = [Comparison("p", f"x{k}", f"y{k}") for k in range(7)]
    found = judge()
    assert found.compare_all(comparisons) == [TIE] * 7
    effect = order_effect(found.both_orders(comparisons))
    assert (effect.same.value, effect.read_first.value) == (0.0, 1.0)


def test_refusals_are_counted_and_kept_apart(endpoint: Callable[..., Endpoint]) -> None:
    def some(question: str, number: int) -> str | None:
        first, second = responses_in(question)
        return (
            None
            if "mute" in (first, second)
            else "I would rather not."
            if "sad" in first
            else longer(question, 0)
        )

    endpoint(some)
    comparisons = [
        Comparison("p", "long one", "x"),
        Comparison("p", "mute", "x"),
        Comparison("p", "sad one", "x"),
    ]
    found = judge().compare_all(comparisons)
    assert found == [FIRST, REFUSED, REFUSED]
    assert win_rates(found).refused == 2
    with pytest.raises(SettingsError, match="refused comparison"):
        _ = found[1].outcome


def test_the_same_response_twice_is_a_tie_without_asking(endpoint: Callable[..., Endpoint]) -> None:
    server = endpoint(longer)
    assert judge().compare("p", "same", "same") is TIE
    assert server.bodies == []


def test_marks_in_the_texts_stay_as_they_are(endpoint: Callable[..., Endpoint]) -> None:
    server = endpoint(longer)
    judge().compare("{second} {prompt}", "{second}", "plain")
    assert "[request]\n{second} {prompt}\n" in server.bodies[0]["messages"][0]["content"]
    assert {responses_in(body["messages"][0]["content"]) for body in server.bodies} == {
        ("{second}", "plain"),
        ("plain", "{second}"),
    }


def test_replies_are_kept_and_an_interrupted_judging_goes_on(
    endpoint: Callable[..., Endpoint], tmp_path: Path
) -> None:
    comparisons = [Comparison("p", "x" * k, "y" * (6 - k)) for k in range(6)]
    server = endpoint(lambda question, number: 503 if number > 5 else longer(question, number))
    with pytest.raises(GeneratorError, match="still fails"):
        judge(tmp_path / "replies.jsonl").compare_all(comparisons)
    kept = len((tmp_path / "replies.jsonl").read_text().splitlines())
    assert 1 <= kept <= 5

    server = endpoint(longer)
    # another port is another endpoint: its replies are not the first one's
    again = judge(tmp_path / "replies.jsonl").compare_all(comparisons)
    assert again == [SECOND, SECOND, SECOND, TIE, FIRST, FIRST]
    asked = len(server.bodies)
    assert judge(tmp_path / "replies.jsonl").compare_all(comparisons) == again
    assert judge(tmp_path / "replies.jsonl").compare(*comparisons[0]) is SECOND
    assert len(server.bodies) == asked
    assert KEY not in (tmp_path / "replies.jsonl").read_text()


def test_after_a_failure_only_the_rest_is_asked(endpoint: Callable[..., Endpoint], tmp_path: Path) -> None:
    failing = True
    server = endpoint(lambda question, number: 503 if failing and number > 4 else longer(question, number))
    comparisons = [Comparison("p", "x" * k, "y" * (9 - k)) for k in range(8)]
    with pytest.raises(GeneratorError):
        judge(tmp_path / "replies.jsonl").compare_all(comparisons)
    kept = len((tmp_path / "replies.jsonl").read_text().splitlines())
    for thread in threading.enumerate():
        if thread.name.startswith("judge"):  # requests that were under way when another failed
            thread.join()
    failing, before = False, len(server.bodies)
    judge(tmp_path / "replies.jsonl").compare_all(comparisons)
    assert len(server.bodies) - before == 2 * len(comparisons) - kept


def test_a_question_that_is_refused_alone_has_no_verdict(
    endpoint: Callable[..., Endpoint], tmp_path: Path
) -> None:
    server = endpoint(lambda question, number: 400 if "awful" in question else longer(question, number))
    asked = [Comparison("p", "a", "long"), Comparison("p", "awful", "longest")]
    path = tmp_path / "replies.jsonl"
    assert judge(path).compare_all(asked) == [Preference.SECOND, Preference.REFUSED]
    count = len(server.bodies)
    assert judge(path).compare_all(asked) == [Preference.SECOND, Preference.REFUSED]
    assert len(server.bodies) == count


def test_a_missing_key_is_an_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(GeneratorError, match="no OPENAI_API_KEY"):
        EndpointJudge("some-model")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"template": "{prompt} {first}"}, "template with 0 {second}"),
        ({"template": "{prompt} {first} {first} {second}"}, "template with 2 {first}"),
        ({"max_new_tokens": 0, "concurrency": 0}, "max_new_tokens 0; concurrency 0"),
        ({"timeout_s": 0.0}, "timeout_s"),
        ({"temperature": -1.0}, "temperature"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        JudgeSettings(**wrong)
    assert says in caught.value.got


def test_what_is_not_set_is_not_sent(endpoint: Callable[..., Endpoint]) -> None:
    server = endpoint(longer)
    judge(settings=JudgeSettings(temperature=None, seed=None)).compare("p", "a", "bb")
    assert not {"temperature", "seed"} & set(server.bodies[0])


def test_a_model_on_this_machine_judges_too(tmp_path: Path) -> None:
    """Its replies are kept by the question and by what it is; those of a random one are no verdicts."""
    from tiny_model import make_tiny_model

    judge = make_judge(
        f"hf:{make_tiny_model(tmp_path / 'model')}", device="cpu", path=tmp_path / "replies.jsonl"
    )
    asked = [Comparison("Hi?", "Hello.", "No."), Comparison("Hi?", "Same.", "Same.")]
    first = judge.compare_all(asked)
    assert first[1] is Preference.TIE
    kept = (tmp_path / "replies.jsonl").read_text()
    assert kept.count("\n") == 2  # both orders of the first
    assert judge.compare_all(asked) == first
    assert (tmp_path / "replies.jsonl").read_text() == kept


def test_a_question_from_a_file_has_our_slots_or_alpaca_evals(tmp_path: Path) -> None:
    file = tmp_path / "question.txt"
    file.write_text("On {instruction}: Output (a) {output_1} or Output (b) {output_2}?")
    assert question_template(file) == "On {prompt}: Output (a) {first} or Output (b) {second}?"
    assert parse_verdict("Output (b)") is Preference.SECOND
    assert parse_verdict("The best is Output (b)") is Preference.REFUSED
    with pytest.raises(DataError, match="judge's question"):
        question_template(tmp_path / "none.txt")
    file.write_text("Which?")
    with pytest.raises(SettingsError, match=r"template with 0 \{prompt\}"):
        make_judge("openai:m", question=file)
