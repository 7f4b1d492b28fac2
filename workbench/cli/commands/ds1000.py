"""`workbench ds1000`: score answers to DS-1000 problems."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from workbench.cli.option_types import AMOUNT, cluster_option, further_option, help_all
from workbench.core.terminal import echo
from workbench.models.placement import DTYPES

EXAMPLE = "Example: workbench ds1000 score hf:Qwen/Qwen2.5-Coder-1.5B --problems hub --out out/qwen"


@click.group(epilog=EXAMPLE)
def command() -> None:
    """Grade a model's answers to DS-1000 problems."""


@command.command("score", epilog=EXAMPLE)
@click.argument("generator")
@click.option(
    "--problems",
    default="suite",
    show_default=True,
    metavar="SOURCE",
    help="suite: the workbench's own problems; hub: the real DS-1000; or a .jsonl(.gz) file of problems.",
)
@click.option("--library", "libraries", multiple=True, help="Score this library only; repeatable.")
@further_option("--perturbation", "perturbations", multiple=True, help="Score this type only; repeatable.")
@further_option(
    "--families",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="Score N Origins with all their variants, the same ones at every call; 0: all problems.",
)
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    help="Samples per problem; by default 1, and all of a recorded file.",
)
@click.option(
    "--workers", type=click.IntRange(min=1), default=2, show_default=True, help="Programs run at a time."
)
@cluster_option
@click.option("--runtime", metavar="NAME", help="main or ds1000; by default main for the suite, else ds1000.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Output folder.")
@further_option(
    "--timeout", type=AMOUNT, default=120.0, show_default=True, help="Time limit of a program, in seconds."
)
@further_option(
    "--memory", type=AMOUNT, default=4.0, show_default=True, help="Memory limit of a program, in GiB."
)
@further_option(
    "--isolation",
    type=click.Choice(["sandlock", "none"]),
    default="sandlock",
    show_default=True,
    help="none: only for answers that you trust.",
)
@further_option(
    "--style",
    type=click.Choice(["auto", "completion", "insertion", "chat"]),
    default="auto",
    show_default=True,
    help="Prompt style.",
)
@click.option(
    "--temperature", type=float, default=0.2, show_default=True, help="Sampling temperature; 0: greedy."
)
@further_option(
    "--top-p", type=float, default=0.95, show_default=True, help="Nucleus sampling: probability mass."
)
@further_option(
    "--max-new-tokens", type=int, default=1024, show_default=True, help="Longest answer, in tokens."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of sampling and bootstrap.")
@further_option("--batch-size", type=int, default=8, show_default=True, help="Batch size in prompts (hf).")
@click.option("--quantize", type=click.Choice(["4bit", "8bit"]), help="Quantize the weights (hf).")
@further_option("--device", default="auto", show_default=True, help="Device of the model (hf).")
@further_option(
    "--dtype",
    type=click.Choice(DTYPES),
    default="auto",
    show_default=True,
    help="Number type of the model's weights (hf).",
)
@further_option(
    "--concurrency", type=int, help="Concurrent requests (openai: 8; served: what fills the engine)."
)
@further_option(
    "--retry-failed", is_flag=True, help="Request again the answers that an endpoint failed to give."
)
@click.option("--partial", is_flag=True, help="Score existing answers only; generate no others.")
@click.option("--strict", is_flag=True, help="Count vacuous passes as failures.")
@click.option("--fresh", is_flag=True, help="Start over: delete the answers and verdicts in DIR.")
@help_all
def score(generator: str, **options: Any) -> None:
    """Grade the answers of GENERATOR and print pass rates by library and by perturbation.

    \b
    GENERATOR is one of
      reference                  each problem's own solution
      memorizer                  memorized Origin solutions, and nothing else
      recorded:answers.jsonl     answers made elsewhere: problem_id and code a line
      hf:NAME-OR-PATH            a model on this machine
      served:MODEL[@ENGINE]      the same by vllm, transformers serve or llama.cpp
      openai:MODEL               an endpoint: OPENAI_API_KEY, OPENAI_BASE_URL

    DIR gets answers.jsonl, verdicts.jsonl and summary.json. Interrupted, the same command goes on where it
    stopped.
    """  # noqa: D301 (the \b is click's: keep these lines as they are)
    from workbench.papers.ds1000.scoring import file_name, label, score_generator
    from workbench.papers.ds1000.tables import text_table

    scoring = _scoring(generator, options)
    scored = score_generator(
        scoring,
        options["out"] or Path("out") / "ds1000" / file_name(label(generator)),
        fresh=options["fresh"],
    )
    echo(text_table(scored.summary))
    gap = scored.summary.gaps.get("all")
    if gap is not None:
        echo(
            f"memorization gap: {gap.gap.value:+.3f} [{gap.gap.low:+.3f}, {gap.gap.high:+.3f}] "
            f"(Origin {gap.origin:.3f}, their variants {gap.variants:.3f}, {gap.families} families)"
        )
    if scored.summary.all.skipped:
        echo(
            f"skipped: {scored.summary.all.skipped} problems, because runtime {scoring.grading.runtime} "
            f"has no {', '.join(sorted(scored.missing))}"
        )
    total = scored.summary.all
    for line in _losses(scored, options["max_new_tokens"]):
        echo(line)
    echo(f"{total.passed} of {total.answers} answers passed; {scored.seconds:.1f} s")
    echo(f"written: {scored.folder}/summary.json, verdicts.jsonl, answers.jsonl")


def _losses(scored: Any, max_new_tokens: int) -> Iterator[str]:
    """Yield a line for each kind of answer that is none, or only a part of one."""
    total = scored.summary.all
    if total.unanswered:
        yield (
            f"partial: {total.unanswered} of {total.problems + total.skipped + total.unanswered} problems have no "
            "answer; the rates are those of the others alone"
        )
    if total.no_answer:
        said = next(each.message for each in scored.judgements if each.missing)
        yield (
            f"no answer: {total.no_answer} of {total.answers}, which count as not passed; the endpoint said: {said} "
            "(--retry-failed asks again)"
        )
    if total.cut:
        yield f"cut: {total.cut} of {total.answers} answers reached the limit of their length " + (
            f"(--max-new-tokens {max_new_tokens})"
        )
    if total.empty:
        yield f"empty: {total.empty} of {total.answers} answers hold no code"
    if total.vacuous:
        first = next(each for each in scored.judgements if each.vacuous)
        yield (
            f"vacuous: {total.vacuous} of {total.answers} answers meet the tests with a result that says nothing "
            f"(problem {first.problem_id}: {first.vacuous_why}); pass@1 is {total.lenient_pass_at_1:.3f} with them, "
            f"{total.strict_pass_at_1:.3f} without (--strict counts them as failed)"
        )
    if total.unexamined:
        first = next(each for each in scored.judgements if each.unexamined)
        yield (
            f"unexamined: {total.unexamined} passes, of which it is not known whether they are vacuous (problem "
            f"{first.problem_id}: {first.vacuous_why})"
        )
    if total.one_process:
        first = next(each for each in scored.judgements if each.one_process)
        yield (
            f"one process: {total.one_process} of {total.answers} answers ran beside the expected values, where a "
            f"cheat could pass: their problems' references return what cannot leave a process (problem "
            f"{first.problem_id})"
        )


def _scoring(generator: str, options: dict[str, Any]) -> Any:
    """Turn the command's words into settings."""
    from workbench.generators import GenerationSettings
    from workbench.papers.ds1000.grading import GradingSettings
    from workbench.papers.ds1000.scoring import Scoring, usual_runtime

    names = (
        "style", "temperature", "top_p", "max_new_tokens", "seed", "batch_size", "quantize", "device",
        "dtype", "concurrency",
    )  # fmt: skip
    return Scoring(
        generator,
        problems=options["problems"],
        libraries=options["libraries"],
        perturbations=options["perturbations"],
        families=options["families"],
        samples=options["samples"],
        workers=options["workers"],
        cluster=options["cluster"],
        retry_failed=options["retry_failed"],
        partial=options["partial"],
        strict=options["strict"],
        grading=GradingSettings(
            runtime=options["runtime"] or usual_runtime(options["problems"]),
            timeout_s=options["timeout"],
            memory_bytes=int(options["memory"] * 2**30),
            isolation=options["isolation"],
        ),
        generation=GenerationSettings(**{name: options[name] for name in names}),
    )
