"""Answers of a policy: as many as asked, in the prompts' order, the same whatever stands beside them."""

from __future__ import annotations

import pytest
from tiny_policies import KINDS, PROMPTS, WORDS, WholeReward, policy_of, quick, tokenizer

from workbench.rewards import Sample
from workbench.training.ppo.answering import answer_prompts
from workbench.training.ppo.prompts import chance, encode_prompts
from workbench.training.ppo.rollout import Collector


@pytest.mark.parametrize("kind", KINDS)
def test_answers_come_in_the_order_of_the_prompts_and_depend_on_the_seed_alone(kind):
    policy, words = policy_of(kind), tokenizer()
    settings = quick(evaluation_batch=4)
    found = answer_prompts(policy, words, PROMPTS, settings, samples=3)
    assert [len(one) for one in found] == [3] * len(PROMPTS)
    assert len({text for one in found for text in one}) > 3
    assert answer_prompts(policy, words, PROMPTS, quick(evaluation_batch=18), samples=3) == found
    as_samples = [Sample(prompt, "whatever") for prompt in PROMPTS]
    assert answer_prompts(policy, words, as_samples, settings, samples=3) == found
    assert answer_prompts(policy, words, PROMPTS, quick(evaluation_batch=4, seed=1), samples=3) != found


def test_a_policy_that_is_sure_of_its_prompt_answers_that_prompt():
    policy, words = policy_of("encoder-decoder", spread=30.0), tokenizer()  # sure: chance decides nothing
    one_by_one = [answer_prompts(policy, words, [prompt], quick(), samples=1)[0][0] for prompt in PROMPTS]
    together = [texts[0] for texts in answer_prompts(policy, words, PROMPTS, quick(), samples=1)]
    assert together == one_by_one
    assert len(set(together)) > 1


def test_banned_tokens_are_never_in_an_answer():
    banned = (WORDS.index("a"), WORDS.index("b"))
    found = answer_prompts(policy_of(), tokenizer(), PROMPTS, quick(banned_tokens=banned), samples=8)
    assert not {"a", "b"} & {word for one in found for text in one for word in text.split()}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("by", ["generation settings", "template"])
def test_every_stop_token_ends_a_response_and_is_no_part_of_its_text(kind, by):
    """The end of a turn need not be the tokenizer's end token, and may be an ordinary token to it."""
    vocabulary = (*WORDS[:-1], "</turn>")
    policy, words, stop = policy_of(kind, spread=0.5), tokenizer(vocabulary), len(WORDS) - 1
    if by == "template":
        words.chat_template = "{% for m in messages %}{{ m['content'] }} </turn> {% endfor %}"
    else:
        policy.lm.generation_config.eos_token_id = [1, stop]
    seen: list[str] = []
    reward = WholeReward(lambda sample: seen.append(sample.response) or 1.0)
    settings = quick(batch=64, minibatch=64, banned_tokens=(1,))  # the tokenizer's own is never chosen
    collect = Collector(policy, words, reward, settings)
    rollout = collect(encode_prompts(["a b"] * 64, words, policy, settings), chance(settings, 1, 0, 64))
    chosen = [row[mask].tolist() for row, mask in zip(rollout.ids, rollout.mask, strict=True)]
    ended = [stop in row for row in chosen]
    assert 0 < sum(ended) < 64 and all(row.index(stop) == len(row) - 1 for row in chosen if stop in row)
    assert rollout.truncated.tolist() == [not one for one in ended]
    assert seen == [" ".join(WORDS[token] for token in row if token not in {0, 1, stop}) for row in chosen]
    given = answer_prompts(policy, words, ["a b"], settings, samples=64)[0]
    assert any(given) and not any("</turn>" in text for text in given)
