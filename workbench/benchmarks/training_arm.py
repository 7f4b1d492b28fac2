"""One arm of the training benchmark, in a process of its own so that its peak memory is its own.

`python -m workbench.benchmarks.training_arm ARM CONFIG FOLDER DEVICE THREADS` trains on FOLDER/pairs.json and prints,
as JSON, the seconds of every step and the peak memory.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from workbench.benchmarks.training import CONFIGS, TrainingCase
from workbench.datasets import PreferencePair
from workbench.models import EncodingSettings, LoraSettings, ModelSettings, load_tokenizer
from workbench.models.four_bit import hold_layout
from workbench.training import RewardTrainingSettings, train_reward_model


class StepClock(TrainerCallback):
    """Keeps when each step ended: what lies between is a whole step, its batch's making included."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        """Start."""
        self._stamp()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Note the end of a step."""
        self._stamp()

    def _stamp(self) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.ends.append(time.perf_counter())

    @property
    def seconds(self) -> list[float]:
        """Of each step."""
        return [after - before for before, after in zip(self.ends, self.ends[1:], strict=False)]


@dataclass(frozen=True)
class Task:
    """What every arm gets."""

    case: TrainingCase
    model: Path
    """A checkpoint with its tokenizer."""
    rows: list[dict[str, str]]
    """`prompt`, `chosen` and `rejected`."""
    device: str
    clock: StepClock


def settings_of_trl(task: Task, out: str) -> dict[str, Any]:
    """Return what both of TRL's configurations are told, so that all arms do the same work.

    TRL's own defaults differ: bf16 and gradient checkpointing are on.
    """
    return {
        "output_dir": out,
        "per_device_train_batch_size": task.case.pairs,
        "num_train_epochs": 1,
        "learning_rate": 1e-5,
        "max_length": 1024,
        "gradient_checkpointing": task.case.checkpointing,
        "bf16": task.device == "cuda",
        "use_cpu": task.device == "cpu",
        "save_strategy": "no",
        "report_to": [],
        "logging_strategy": "no",
        "disable_tqdm": True,
        "seed": 0,
    }


def load_for_trl(task: Task, *, classifier: bool) -> tuple[Any, Any]:
    """Return model and LoRA configuration as TRL takes them."""
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, BitsAndBytesConfig

    options: dict[str, Any] = {"dtype": torch.bfloat16 if task.case.quantize else torch.float32}
    lora = None
    if task.case.quantize:
        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
        options["device_map"] = {"": task.device}
        chosen = LoraSettings()
        lora = LoraConfig(
            task_type="SEQ_CLS" if classifier else "CAUSAL_LM",
            r=chosen.rank,
            lora_alpha=int(chosen.alpha),
            target_modules=["gate_proj", "up_proj", "down_proj"],
            modules_to_save=["score"] if classifier else None,
        )
    kind: Any = AutoModelForSequenceClassification if classifier else AutoModelForCausalLM
    loaded = kind.from_pretrained(task.model, **options, **({"num_labels": 1} if classifier else {}))
    hold_layout(loaded)  # as the workbench's own arms are, so that the same arithmetic is compared
    return loaded, lora


def trl_reward(task: Task, out: str) -> None:
    """Train by TRL's RewardTrainer."""
    from datasets import Dataset
    from trl import RewardConfig, RewardTrainer

    model, lora = load_for_trl(task, classifier=True)
    texts = [{side: row["prompt"] + row[side] for side in ("chosen", "rejected")} for row in task.rows]
    RewardTrainer(
        model=model,
        args=RewardConfig(**settings_of_trl(task, out)),
        train_dataset=Dataset.from_list(texts),
        processing_class=load_tokenizer(ModelSettings(str(task.model))),
        peft_config=lora,
        callbacks=[task.clock],
    ).train()


def trl_dpo(task: Task, out: str) -> None:
    """Train by TRL's DPOTrainer; the reference is computed before the first step, and does not count."""
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    model, lora = load_for_trl(task, classifier=False)
    DPOTrainer(
        model=model,
        args=DPOConfig(**settings_of_trl(task, out), precompute_ref_log_probs=True),
        train_dataset=Dataset.from_list(task.rows),
        processing_class=load_tokenizer(ModelSettings(str(task.model))),
        peft_config=lora,
        callbacks=[task.clock],
    ).train()


def ours(task: Task, alpha: float) -> None:
    """Train by the workbench; the reference is computed before the first step, and does not count."""
    settings = RewardTrainingSettings(
        alpha=alpha,
        epochs=1,
        batch=task.case.pairs,
        micro_batch=task.case.pairs,
        encoding=EncodingSettings(template="{prompt}", max_tokens=1024, max_prompt_tokens=512),
        reference="before",
        checkpoint_steps=0,
        log_steps=0,
        progress=False,
    )
    train_reward_model(
        ModelSettings(
            str(task.model),
            device=task.device,
            quantize="nf4" if task.case.quantize else None,
            gradient_checkpointing=task.case.checkpointing,
        ),
        load_tokenizer(ModelSettings(str(task.model))),
        [
            PreferencePair(row["prompt"], row["chosen"].strip(), row["rejected"].strip(), "random")
            for row in task.rows
        ],
        settings,
        folder=None,
        lora=LoraSettings() if task.case.quantize else None,
        callbacks=[task.clock],
    )


def main() -> None:
    """Train one arm and print what it took."""
    arm, name, place, device, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    rows = json.loads((Path(place) / "pairs.json").read_text())
    task = Task(CONFIGS[name], Path(place) / "model", rows, device, StepClock())
    output = os.dup(1)
    os.dup2(2, 1)  # trainers print: only the last line below is for the reader
    with tempfile.TemporaryDirectory() as out:
        if arm == "trl-reward":
            trl_reward(task, out)
        elif arm == "trl-dpo":
            trl_dpo(task, out)
        else:
            ours(task, alpha=0.2 if arm == "hybrid" else 0.0)
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else _peak_of_process()
    os.write(output, json.dumps({"seconds": task.clock.seconds, "peak_bytes": peak}).encode() + b"\n")


def _peak_of_process() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    main()
