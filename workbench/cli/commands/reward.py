"""`workbench reward`: train, score and compare reward models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from workbench.cli.option_types import further_option, help_all
from workbench.core.terminal import echo


@click.group(
    epilog="Example: workbench reward train --data hh-harmless --model Qwen/Qwen2.5-0.5B --out out/rm"
)
def command() -> None:
    """Train reward models on preference pairs, and evaluate them."""


@command.command(
    "train",
    epilog="Example: workbench reward train --data hh-harmless --model microsoft/phi-2 --quantize nf4 --out out/rm",
)
@click.option(
    "--data", required=True, multiple=True, metavar="NAME|FILE", help="Preference data; repeatable."
)
@click.option("--model", required=True, metavar="DIR|NAME", help="Checkpoint of the base model.")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Folder of the reward model."
)
@click.option("--limit", type=click.IntRange(min=1), help="Only the first N pairs of each data set.")
@click.option(
    "--evaluate",
    type=click.IntRange(min=0),
    default=200,
    show_default=True,
    help="Pairs of each test split to evaluate on.",
)
@click.option("--quantize", type=click.Choice(["nf4", "8bit"]), help="Quantize the base model; needs LoRA.")
@click.option("--lora/--full", default=True, show_default=True, help="Train LoRA adapters, or all weights.")
@further_option("--lora-rank", type=int, help="Rank of the adapters [16].")
@further_option(
    "--lora-layers", type=int, metavar="N", help="Adapters on the last N layers alone: faster [on all]."
)
@further_option("--lora-alpha", type=float, help="LoRA alpha: scale times rank [16].")
@further_option("--lora-dropout", type=float, help="Dropout of the adapters' inputs [0].")
@further_option(
    "--target-modules",
    "lora_target_modules",
    callback=lambda _context, _option, names: tuple(filter(None, names.split(","))) if names else None,
    metavar="NAME,NAME",
    help="Layers that get adapters, or ends of their names [the MLP projections].",
)
@click.option("--alpha", type=float, help="Weight of the policy loss [0.2]; 0: standard reward model.")
@further_option("--beta", type=float, help="Beta of the policy loss, as in DPO [0.1].")
@further_option(
    "--policy-loss",
    type=click.Choice(["sigmoid", "hinge", "ipo", "slic", "simpo", "grm-sft", "grm-noref"]),
    help="Form of the policy loss [sigmoid].",
)
@further_option(
    "--reward-weight", type=float, help="Weight of the reward loss [1]; 0: the policy loss alone, DPO."
)
@further_option("--alternate", type=int, help="Steps after which the two losses take turns [0: their sum].")
@click.option("--epochs", type=float, help="Epochs over the pairs [2].")
@click.option("--max-steps", type=int, help="Optimizer steps, instead of epochs.")
@click.option("--batch", type=int, help="Batch size in pairs, over all processes [16].")
@click.option("--micro-batch", type=int, help="Micro-batch size in pairs, per process [1].")
@click.option("--lr", "learning_rate", type=float, help="Learning rate [1e-5].")
@further_option(
    "--head-lr", "head_learning_rate", type=float, help="Learning rate of the reward head [the same]."
)
@further_option(
    "--pooling", type=click.Choice(["last", "mean"]), help="Token states that the reward head reads [last]."
)
@further_option("--init-std", type=float, help="Standard deviation of the reward head's initial weights [0].")
@further_option("--template", help="Prompt template with {prompt} ['Instruct: {prompt}\\nOutput:'].")
@further_option("--chat/--no-chat", default=None, help="Use the model's chat template [where it has one].")
@click.option("--max-tokens", type=int, help="Longest sequence, in tokens [512].")
@further_option("--max-prompt-tokens", type=int, help="Longest prompt, in tokens [128].")
@further_option(
    "--reference",
    type=click.Choice(["auto", "before", "adapters-off"]),
    help="When the reference policy's log-probabilities are computed [auto].",
)
@further_option(
    "--group-by-length", is_flag=True, default=None, help="Batches of similar lengths: less padding."
)
@further_option(
    "--gradient-checkpointing", is_flag=True, default=None, help="Less memory, a third more time."
)
@further_option("--attention", metavar="NAME", help="sdpa, eager, flash_attention_2 [the model's choice].")
@further_option("--padding-free", is_flag=True, default=None, help="No padding; for flash attention.")
@further_option(
    "--share-prompts", is_flag=True, default=None, help="Compute a prompt once for both responses."
)
@click.option("--device", help="Device to train on [the first GPU, else the CPU].")
@further_option("--dtype", help="Precision [bfloat16 on a GPU, else float32].")
@further_option("--checkpoint-steps", type=int, help="Steps between checkpoints [200].")
@further_option("--evaluate-steps", type=int, help="Steps between evaluations [0: at the end].")
@further_option(
    "--keep-best", is_flag=True, default=None, help="Keep the best evaluated weights, not the last."
)
@further_option("--log-steps", type=int, help="Steps between lines of the log [10].")
@further_option("--report-to", multiple=True, metavar="NAME", help="tensorboard, wandb, ...; repeatable.")
@click.option("--seed", type=int, help="Seed of initial weights, order and dropout [0].")
@click.option("--fresh", is_flag=True, help="Start over: delete an earlier training run in DIR.")
@help_all
def train(**options: Any) -> None:
    """Train a reward model on preference pairs, by the hybrid loss of HaF-RM.

    DIR gets the model, and a log. Interrupted, the same command goes on at its last checkpoint; with other options it
    refuses to, because the weights would be neither's: choose another DIR, or --fresh. In several processes:
    accelerate launch -m workbench.training, with the same options. In brackets: defaults; the paper's, where it has
    one.
    """
    from workbench.training.launch import launch

    launch(options, echo)


@command.command(
    "score",
    epilog="Example: workbench reward score --model out/rm --data hh-harmless --data rewardbench --out out/rm-scored",
)
@click.option(
    "--model", required=True, metavar="DIR|NAME", help="Checkpoint: reward model, classifier, or policy."
)
@click.option(
    "--data", required=True, multiple=True, metavar="NAME|FILE", help="Preference data; repeatable."
)
@click.option(
    "--baseline", metavar="DIR|NAME", help="Reference policy; by default as the training run recorded it."
)
@click.option(
    "--split",
    type=click.Choice(["train", "test", "all"]),
    default="test",
    show_default=True,
    help="Split of the data.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Only the first N pairs of each data set.")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Output folder.")
@click.option("--beta", type=float, help="Beta of the implicit reward; by default as in training.")
@click.option(
    "--batch-size", type=click.IntRange(min=1), default=16, show_default=True, help="Batch size in sequences."
)
@click.option("--template", help="Prompt template with {prompt}; by default as in training.")
@click.option(
    "--chat/--no-chat", default=None, help="Use the model's chat template; by default as in training."
)
@click.option("--max-tokens", type=int, help="Longest sequence; by default as in training.")
@click.option("--max-prompt-tokens", type=int, help="Longest prompt; by default as in training.")
@click.option("--quantize", type=click.Choice(["nf4", "8bit"]), help="Quantize the weights.")
@click.option("--device", default="auto", show_default=True, help="Device of the model.")
@click.option("--dtype", default="auto", show_default=True, help="Precision.")
def score(**options: Any) -> None:
    """Score both responses of preference pairs; print accuracies by data set and subset, baselines beside them.

    DIR gets scores.jsonl (a line a pair) and results.json. Interrupted, the same command goes on where it stopped.
    """
    from workbench.preferences.scoring import PreferenceScoring, score_preferences
    from workbench.preferences.tables import accuracy_table, agreement_note, behaviour_table

    names = (
        "model",
        "data",
        "baseline",
        "split",
        "limit",
        "beta",
        "batch_size",
        "quantize",
        "device",
        "dtype",
    )
    scoring = PreferenceScoring(
        **{name: options[name] for name in names}, encoding=_encoding(options["model"], options)
    )
    scored = score_preferences(scoring, options["out"])
    table = scored.table
    for line in (*scored.reports, scored.results["model_summary"], ""):
        echo(line)
    echo(
        "accuracy [95 % interval]; a tie counts half; logp: of the untrained model; longer, shorter: by length"
    )
    echo(accuracy_table(table))
    if any(table.has(name) for name in ("explicit", "implicit")):
        echo(f"\n{behaviour_table(table)}")
    notes = [agreement_note(table), *scored.lacks]
    cut = scored.results["truncated"]
    if cut:
        notes.append(f"{cut:,} of {len(table):,} pairs were cut to fit")
    echo("".join(f"\n{note}" for note in notes if note))
    echo(f"written: {scored.folder}/scores.jsonl, results.json")


def _encoding(model: str, options: dict[str, Any]) -> Any:
    """Return the encoding that the options ask for; None where they leave it to the model's training."""
    from dataclasses import replace

    from workbench.models.encoding import EncodingSettings, load_encoding
    from workbench.models.encoding_settings import chosen_form

    names = ("template", "chat", "max_tokens", "max_prompt_tokens")
    changed = chosen_form({name: options[name] for name in names if options[name] is not None})
    if not changed:
        return None
    return replace(load_encoding(Path(model)) or EncodingSettings(), **changed)


@command.command(
    "compare",
    epilog="Example: workbench reward compare standard=out/s-seed1 standard=out/s-seed2 hybrid=out/h-seed1 "
    "hybrid=out/h-seed2 --against standard",
)
@click.argument("runs", nargs=-1, required=True, metavar="[NAME=]DIR...")
@click.option("--against", metavar="NAME", help="Baseline of the comparison; by default the first.")
@click.option(
    "--score",
    "scores",
    multiple=True,
    metavar="[NAME=]SCORE",
    help="Score to compare, such as implicit; repeatable.",
)
@click.option("--matrix", is_flag=True, help="Print the accuracy of models trained on A and tested on B.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it as JSON too."
)
def compare(
    runs: tuple[str, ...], against: str | None, scores: tuple[str, ...], matrix: bool, out: Path | None
) -> None:
    """Print how runs of `workbench reward score` differ, on the pairs that they share.

    Runs of the same NAME are seeds of one arm; without a NAME it is that of the folder, less -seedN and -scored. With
    several seeds the interval is of the difference over seeds (paired t), with one over pairs (paired bootstrap, and
    McNemar's p).
    """
    from workbench.preferences.accuracy import transfer_matrix
    from workbench.preferences.comparison import compare_arms
    from workbench.preferences.runs import arms_of, matrix_labels, read_runs, scores_of
    from workbench.preferences.tables import difference_table, matrix_table
    from workbench.store import atomic

    read = read_runs(runs)
    arms = arms_of(read)
    by_arm = scores_of(arms, scores)
    written: dict[str, Any] = {"scores": by_arm}
    if matrix:
        used = sorted(set(by_arm.values()))
        if len(used) > 1:
            raise _mixed(used)
        tables = [run.table for run in read]
        found = transfer_matrix(list(zip(matrix_labels(read), tables, strict=True)), used[0])
        echo(f"accuracy [95 % interval over pairs] by the {used[0]} score")
        echo(matrix_table(found))
        written["matrix"] = [
            {"trained_on": a, "tested_on": b, **one._asdict()} for (a, b), one in found.items()
        ]
    if len(arms) > 1 or not matrix:
        rows = compare_arms(arms, against=against, score=by_arm)
        echo(
            ("\n" if matrix else "")
            + ", ".join(f"{arm} by its {score} score" for arm, score in by_arm.items())
        )
        echo(difference_table(rows))
        written["differences"] = [row._asdict() for row in rows]
    if out is not None:
        atomic.write_json(out, written)
        echo(f"written: {out}")


def _mixed(used: list[str]) -> Exception:
    from workbench.core.errors import SettingsError

    return SettingsError(
        got=f"a matrix of different scores: {', '.join(used)}",
        needed="one score for all",
        fix="add --score NAME",
    )
