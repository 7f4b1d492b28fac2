"""Tiny models of the large profiles' architectures, in the files that their repositories have: loaded and trained.

Of each configuration on the Hub the sizes are cut and nothing else; tokenizers come as each repository has them.
"""

from dataclasses import replace

import pytest
from tiny_checkpoints import save_checkpoint

from workbench.datasets.preference_pair import PreferencePair
from workbench.models import ModelSettings, load_tokenizer
from workbench.models.encoding import EncodingSettings
from workbench.models.lora import LoraSettings
from workbench.models.scorers import load_scorer
from workbench.papers.alarm.europarl import PAPER_PPO
from workbench.papers.alarm.question_rewards import Budgets, _holistic
from workbench.rewards import FACTUALITY, Sample, SpanExample
from workbench.training import RewardTrainingSettings, SpanTrainingSettings, train_span_classifier
from workbench.training.ppo import ValuedPolicy
from workbench.training.ppo.answering import answer_prompts
from workbench.training.ppo.settings import PAPER_LORA
from workbench.training.supervised import SupervisedSettings, fine_tune
from workbench.training.train import train_reward_model


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("google/mt5-base", "MT5ForConditionalGeneration"),
        ("google-t5/t5-large", "T5ForConditionalGeneration"),
    ],
)
def test_a_policy_whose_tokenizer_is_a_sentencepiece_file_is_fine_tuned_and_answers(name, kind, tmp_path):
    model = save_checkpoint(name, tmp_path / "hub", kind)
    tokenizer = load_tokenizer(model)
    pairs = [("translate Spanish to English: la casa", "the house")] * 4
    budgets = SupervisedSettings(
        epochs=1, batch=2, max_prompt_tokens=16, max_new_tokens=8, checkpoint_steps=0
    )
    place = fine_tune(model, tokenizer, pairs, budgets, folder=tmp_path / "tuned")
    policy = ValuedPolicy.load(ModelSettings(str(place), device="cpu"), lora=PAPER_LORA)

    how = replace(PAPER_PPO, max_prompt_tokens=16, max_new_tokens=4, progress=False)
    (answers,) = answer_prompts(
        policy, load_tokenizer(ModelSettings(str(place))), [pairs[0][0]], how, samples=2
    )
    assert len(answers) == 2


@pytest.mark.parametrize(
    ("name", "kind", "longest"),
    [
        ("openbmb/UltraRM-13b", "LlamaForSequenceClassification", 2048),
        ("OpenAssistant/reward-model-deberta-v3-large-v2", "DebertaV2ForSequenceClassification", 512),
    ],
)
def test_a_holistic_reward_scores_and_keeps_the_question(name, kind, longest, tmp_path):
    model = save_checkpoint(name, tmp_path, kind, num_labels=1)
    assert load_scorer(model).model.config.num_labels == 1
    reward = _holistic(model, Budgets())
    assert (
        reward.encoding.max_tokens == min(longest, reward.encoding.max_tokens)
        and reward.encoding.cut == "end"
    )
    long = "question: who sang it? context: " + "the song was sung by two people in 1985. " * 200
    spans = reward([Sample(long, "two people"), Sample("question: who? context: two.", "two people")])
    assert spans[0][0].value != spans[1][0].value
    assert reward.cut is not None and reward.cut.prompts_cut == 1


def test_a_span_classifier_is_trained_from_longformer_and_from_one_that_reads_512(tmp_path):
    text = "It was sung in 1985. It was not."
    example = SpanExample(
        Sample("question: who? context: " + "sung " * 900, text), ((0, 20), (21, 32)), (True, False)
    )
    quick = SpanTrainingSettings(max_steps=1, batch=2, checkpoint_steps=0, progress=False)
    for name, kind, longest in (
        ("allenai/longformer-base-4096", "LongformerForMaskedLM", 1024),
        ("distilbert/distilroberta-base", "RobertaForMaskedLM", 512),
    ):
        model = save_checkpoint(name, tmp_path / kind, kind)
        reward = train_span_classifier(
            [example] * 2,
            model,
            FACTUALITY,
            folder=tmp_path / f"{kind} out",
            name="factuality",
            training=quick,
        )
        assert reward.settings.max_tokens == longest
        assert len(reward([example.sample])[0]) == 2


def test_mistral_in_four_bits_is_trained_with_adapters_as_haf_rm_does(tmp_path):
    model = save_checkpoint("mistralai/Mistral-7B-Instruct-v0.2", tmp_path / "hub", "MistralForCausalLM")

    held = replace(model, quantize="nf4", gradient_checkpointing=True, share_prompts=True)
    pairs = [PreferencePair(f"the question {n}", "this is the answer", "the house", "file") for n in range(4)]
    form = EncodingSettings("[INST] {prompt} [/INST]", chat=False, max_tokens=64, max_prompt_tokens=32)
    training = RewardTrainingSettings(
        alpha=0.2, max_steps=1, batch=2, micro_batch=1, encoding=form, checkpoint_steps=0, progress=False
    )
    trained = train_reward_model(
        held, load_tokenizer(held), pairs, training, folder=tmp_path / "out", lora=LoraSettings(rank=4)
    )
    assert trained is not None and any((tmp_path / "out").iterdir())
