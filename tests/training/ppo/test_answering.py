"""Answers of a policy: as many as asked, in the prompts' order, the same whatever stands beside them."""

from __future__ import annotations

import pytest
from tiny_policies import KINDS, PROMPTS, WORDS, policy_of, quick, tokenizer

from workbench.rewards import Sample
from workbench.training.ppo.answering import answer_prompts


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
