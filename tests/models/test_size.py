"""What cannot be cut small is built from its configuration without weights: sizes, LoRA targets, memory."""

import pytest
from hub_configs import CONFIGS
from transformers import AutoConfig

from workbench.models import ModelSettings
from workbench.models.lora_targets import default_targets
from workbench.models.size import built_without_weights, lora_parameters, size_by_name, size_of
from workbench.runs.needs.memory import Held, activation_bytes, weight_bytes

PARAMETERS = {
    "mistralai/Mistral-7B-Instruct-v0.2": 7_241_732_096,  # as the Hub's page has it
    "codellama/CodeLlama-34b-Instruct-hf": 33_743_970_304,
    "Qwen/Qwen2.5-0.5B": 494_032_768,
}


def config(name):
    return AutoConfig.for_model(**CONFIGS[name])


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_large_models_size_and_adapters_are_known_without_its_weights(name):
    built = built_without_weights(config(name))
    assert all(weight.is_meta for weight in built.parameters())
    assert built.num_parameters() == PARAMETERS[name]
    assert default_targets(built) == ["mlp.down_proj", "mlp.gate_proj", "mlp.up_proj"]
    said = CONFIGS[name]
    a_layer = 3 * (said["hidden_size"] + said["intermediate_size"])
    assert lora_parameters(built, 64) == 64 * said["num_hidden_layers"] * a_layer


def test_every_model_of_the_profiles_has_a_size():
    for name in CONFIGS:
        if name not in PARAMETERS:
            size = size_of(config(name))
            assert size.parameters > size.linear > 0 and size.layers > 0, name


def test_the_memory_of_mistral_in_four_bits_with_adapters_by_hand():
    size = size_of(config("mistralai/Mistral-7B-Instruct-v0.2"))
    assert size.parameters - size.linear == 2 * 32000 * 4096 + 65 * 4096  # embeddings, LM head, norms
    model = ModelSettings("mistral", quantize="nf4", gradient_checkpointing=True)
    held = Held(model, tokens=1024, trained="lora", rank=64)
    weights = size.linear * 0.53 + (size.parameters - size.linear) * 2
    adapters = 64 * 32 * 3 * (4096 + 14336) * 16
    activations = 1024 * 4096 * (34 + 2 * 32) + 1024 * 32000 * 4 * 3
    assert weight_bytes(size, held, 2) == pytest.approx(weights + adapters)
    assert activation_bytes(size, held, 2) == pytest.approx(activations)
    assert 6e9 < weights + adapters + activations < 9e9


@pytest.mark.parametrize(
    ("name", "billions"),
    [("openbmb/UltraRM-13b", 13), ("mistralai/Mistral-7B-v0.1", 7), ("Qwen/Qwen2.5-Coder-0.5B", 0.5),
     ("SmolLM2-135M-Instruct", 0.135), ("google/mt5-base", None), ("allenai/longformer-base-4096", None)],
)  # fmt: skip
def test_a_name_may_say_a_size(name, billions):
    guessed = size_by_name(name)
    assert (guessed and guessed.parameters) == (billions and pytest.approx(billions * 1e9))
