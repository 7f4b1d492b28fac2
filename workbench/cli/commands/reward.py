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
@click.option("--model", required=True, metavar="DIR|NAME", help="The language model to begin with.")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Folder of the model."
)
@click.option("--limit", type=click.IntRange(min=1), help="The first so many pairs of each data set.")
@click.option(
    "--evaluate",
    type=click.IntRange(min=0),
    default=200,
    show_default=True,
    help="Pairs of each test split to evaluate on.",
)
@click.option("--quantize", type=click.Choice(["nf4", "8bit"]), help="Hold smaller weights; with adapters.")
@click.option("--lora/--full", default=True, show_default=True, help="Train adapters, or all weights.")
@further_option("--lora-rank", type=int, help="Inner width of the adapters [16].")
@further_option("--lora-alpha", type=float, help="Their scale times their rank [16].")
@further_option("--lora-dropout", type=float, help="Chance that an input of theirs is dropped [0].")
@further_option(
    "--target-modules",
    "lora_target_modules",
    callback=lambda _context, _option, names: tuple(filter(None, names.split(","))) if names else None,
    metavar="NAME,NAME",
    help="Layers that get adapters, or ends of their names [the MLP projections].",
)
@click.option("--alpha", type=float, help="Weight of the policy loss [0.2]; 0: the standard reward model.")
@further_option("--beta", type=float, help="Strength of the policy's margin [0.1].")
@further_option(
    "--policy-loss",
    type=click.Choice(["sigmoid", "hinge", "ipo", "slic", "simpo"]),
    help="Form of the policy loss [sigmoid].",
)
@further_option(
    "--reward-weight", type=float, help="Weight of the reward loss [1]; 0: the policy loss alone, DPO."
)
@further_option("--alternate", type=int, help="Steps after which the two losses take turns [0: their sum].")
@click.option("--epochs", type=float, help="Passes over the pairs [2].")
@click.option("--max-steps", type=int, help="Optimizer steps, instead of epochs.")
@click.option("--batch", type=int, help="Pairs an optimizer step, over all processes [16].")
@click.option("--micro-batch", type=int, help="Pairs in memory at once, in each process [1].")
@click.option("--lr", "learning_rate", type=float, help="Learning rate [1e-5].")
@further_option("--head-lr", "head_learning_rate", type=float, help="That of the scalar head [the same].")
@further_option("--pooling", type=click.Choice(["last", "mean"]), help="What the scalar head sees [last].")
@further_option("--init-std", type=float, help="Spread of the scalar head's first weights [0].")
@further_option("--template", help="Prompt template with {prompt} ['Instruct: {prompt}\\nOutput:'].")
@further_option("--chat/--no-chat", default=None, help="Use the model's chat template [where it has one].")
@click.option("--max-tokens", type=int, help="Longest sequence [512].")
@further_option("--max-prompt-tokens", type=int, help="Longest prompt [128].")
@further_option(
    "--reference",
    type=click.Choice(["auto", "before", "adapters-off"]),
    help="When the untrained model's log-probabilities are computed [auto].",
)
@further_option("--group-by-length", is_flag=True, default=None, help="Steps of like lengths: less padding.")
@further_option(
    "--gradient-checkpointing", is_flag=True, default=None, help="Less memory, a third more time."
)
@further_option("--attention", metavar="NAME", help="sdpa, eager, flash_attention_2 [the model's choice].")
@further_option("--padding-free", is_flag=True, default=None, help="No padding; for flash attention.")
@further_option("--share-prompts", is_flag=True, default=None, help="Read a prompt once for both responses.")
@click.option("--device", help="Where to train [the first GPU, else the CPU].")
@further_option("--dtype", help="Type of the model's numbers [bfloat16 on a GPU, else float32].")
@further_option("--checkpoint-steps", type=int, help="Steps between checkpoints [200].")
@further_option("--evaluate-steps", type=int, help="Steps between evaluations [0: at the end].")
@further_option(
    "--keep-best", is_flag=True, default=None, help="Keep the best evaluated weights, not the last."
)
@further_option("--log-steps", type=int, help="Steps between lines of the log [10].")
@further_option("--report-to", multiple=True, metavar="NAME", help="tensorboard, wandb, ...; repeatable.")
@click.option("--seed", type=int, help="Of first weights, order and dropout [0].")
@click.option("--fresh", is_flag=True, help="Start over: forget an earlier training in DIR.")
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
@click.option("--model", required=True, metavar="DIR|NAME", help="A reward model, a classifier, or a policy.")
@click.option(
    "--data", required=True, multiple=True, metavar="NAME|FILE", help="Preference data; repeatable."
)
@click.option(
    "--baseline", metavar="DIR|NAME", help="The untrained model; by default known where it was trained here."
)
@click.option(
    "--split",
    type=click.Choice(["train", "test", "all"]),
    default="test",
    show_default=True,
    help="Which part of the data.",
)
@click.option("--limit", type=click.IntRange(min=1), help="The first so many pairs of each data set.")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Folder of what is written."
)
@click.option("--beta", type=float, help="Strength of the implicit reward; by default that of the training.")
@click.option(
    "--batch-size", type=click.IntRange(min=1), default=16, show_default=True, help="Sequences at a time."
)
@click.option("--template", help="Prompt template with {prompt}; by default that of the training.")
@click.option(
    "--chat/--no-chat", default=None, help="Use the model's chat template; by default as in the training."
)
@click.option("--max-tokens", type=int, help="Longest sequence; by default that of the training.")
@click.option("--max-prompt-tokens", type=int, help="Longest prompt; by default that of the training.")
@click.option("--quantize", type=click.Choice(["nf4", "8bit"]), help="Load smaller weights.")
@click.option("--device", default="auto", show_default=True, help="Where the model computes.")
@click.option("--dtype", default="auto", show_default=True, help="Type of its numbers.")
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
@click.option("--against", metavar="NAME", help="Compare the others with this one; by default the first.")
@click.option(
    "--score", "scores", multiple=True, metavar="[NAME=]SCORE", help="Such as implicit; repeatable."
)
@click.option("--matrix", is_flag=True, help="Print the accuracy of models trained on A, on the pairs of B.")
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
