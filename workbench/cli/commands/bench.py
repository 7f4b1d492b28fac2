"""`workbench bench`: measurements of speed, as ratios taken side by side in one run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from workbench.models.placement import DTYPES

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _there(ctx: click.Context, param: click.Parameter, device: str) -> str:
    if device == "cuda" and not ctx.resilient_parsing:
        import torch

        if not torch.cuda.is_available():
            raise click.BadParameter(
                f"torch {torch.__version__} finds no GPU here; `workbench doctor` says more"
            )
    return device


def _number(name: str, usual: int, help: str, least: int = 1) -> Callable[[_Command], _Command]:
    """Return an option that takes a whole number; its help says the usual one, but where 0 means none."""
    return click.option(
        name, type=click.IntRange(min=least), default=usual, show_default=usual > 0, metavar="N", help=help
    )


_device = click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    default="cpu",
    show_default=True,
    callback=_there,
    help="Where it computes.",
)


_workers = _number("--workers", 2, "Programs at a time.")
_threads = _number("--threads", 2, "Threads of arithmetic on the CPU.")


@click.group(epilog="Example: workbench bench sandbox --limit 100", short_help="Measure speed, side by side.")
def command() -> None:
    """Measure speed, side by side with the alternatives, in one run."""


@command.command(epilog="Example: workbench bench sandbox --problems ds1000.jsonl.gz --workers 2")
@click.option(
    "--problems", default="suite", show_default=True, metavar="SOURCE", help="suite, hub or a file."
)
@_workers
@click.option(
    "--runtime", default="", metavar="NAME", help="Runtime; by default the one that fits the problems."
)
@_number("--limit", 0, "Take about N problems, evenly spread; 0 takes all.", least=0)
@_number(
    "--fresh",
    0,
    "Run about N of them, evenly spread, as fresh processes, and scale that; 0 runs all.",
    least=0,
)
@_number("--trivial", 0, "Instead, run N trivial programs and count what leaks.", least=0)
def sandbox(*, problems: str, workers: int, runtime: str, limit: int, fresh: int, trivial: int) -> None:
    """Grade the reference answers in the sandbox, in fresh processes, and in one warm process."""
    if trivial:
        _leaks(trivial, workers)
        return
    from workbench.benchmarks.sandbox import measure_speed
    from workbench.datasets import load_problems
    from workbench.generators import Answer
    from workbench.papers.ds1000.grading import score
    from workbench.papers.ds1000.scoring import usual_runtime
    from workbench.sandbox import Program
    from workbench.sandbox.runtimes import find_runtime

    chosen = load_problems(problems)
    if not runtime and problems == "suite":  # the yardsticks cannot skip what `main` lacks
        chosen = [problem for problem in chosen if problem.library != "Tensorflow"]
    chosen = chosen[:: max(1, len(chosen) // limit)] if limit else chosen
    programs = [Program(p.reference_code, tests=p.code_context, group=p.library) for p in chosen]
    answers = [Answer(p.problem_id, 0, p.reference_code) for p in chosen]
    report = measure_speed(
        programs,
        find_runtime(runtime or usual_runtime(problems)),
        workers,
        lambda box: sum(judgement.passed for judgement in score(chosen, answers, box)),
        click.echo,
        fresh=fresh,
    )
    one, ours = report.warm, report.sandbox
    heading = f"{report.programs} programs, {workers} workers"
    click.echo(f"\n{heading:<64} {'wall s':>8} {'ratio':>6} {'CPU s':>8} {'ratio':>6}")
    ran = f", {report.fresh.programs} of {report.programs}, scaled" if fresh else ""
    for name, wall_s, leg in (
        ("sandbox (isolated, split grading, imports included)", ours.wall_s, ours),
        (f"fresh process a program (no isolation{ran})", report.fresh.wall_s, report.fresh),
        ("pure execution / workers (no isolation, imports not counted)", one.wall_s / workers, one),
    ):
        click.echo(
            f"  {name:<62} {wall_s:8.1f} {wall_s / ours.wall_s:5.2f}x {leg.cpu_s:8.1f} {leg.cpu_s / ours.cpu_s:5.2f}x"
            f"   {leg.passed} of {leg.programs} passed"
        )
    click.echo(
        f"{report.speedup:.2f}x faster than fresh processes; {report.overhead:.2f}x pure execution / workers"
    )


@command.command(epilog="Example: workbench bench training --steps 8 --rounds 3")
@click.option(
    "--config", default="small", show_default=True, help="small (13 M parameters) or mistral-7b (NF4 + LoRA)."
)
@_device
@_number("--steps", 8, "Steps an arm and round; the first two do not count.", least=3)
@_number("--rounds", 2, "How often the four arms run in turn.")
@_threads
def training(config: str, device: str, steps: int, rounds: int, threads: int) -> None:
    """Train a step hybrid, standard, by TRL's RewardTrainer and by its DPOTrainer: same model, same batches."""
    import tempfile
    from pathlib import Path

    from workbench.benchmarks.training import measure_training

    with tempfile.TemporaryDirectory() as folder:
        report = measure_training(
            config, Path(folder), device=device, steps=steps, rounds=rounds, threads=threads, say=click.echo
        )
    base = report.seconds["trl-reward"]
    click.echo(f"\n{'':<12} {'s a step':>9} {'pairs/s':>8} {'peak GiB':>9}   ratio to RewardTrainer")
    for arm, seconds in report.seconds.items():
        peak = report.peak_bytes[arm] / 2**30
        click.echo(
            f"  {arm:<10} {seconds:9.3f} {report.pairs / seconds:8.1f} {peak:9.2f}   {seconds / base:.2f}x"
        )
    click.echo(
        f"hybrid: {report.of_both:.2f}x of RewardTrainer + DPOTrainer, {report.of_limit:.2f}x of the limit "
        f"(RewardTrainer x {report.limit_ratio:.2f}), {report.of_reward_memory:.2f}x RewardTrainer's peak memory"
    )


@command.command(epilog="Example: workbench bench lora --model smollm2 --layers 6")
@click.option(
    "--model", default="smollm2", show_default=True, metavar="NAME", help="A causal language model."
)
@_device
@_number("--layers", 6, "Last layers that carry adapters, where not all do.")
@_number("--pairs", 8, "Pairs a step.")
@_number("--micro-batch", 4, "Pairs at a time.")
@_number("--rounds", 2, "Steps of which the fastest counts.")
@_threads
def lora(
    *, model: str, device: str, layers: int, pairs: int, micro_batch: int, rounds: int, threads: int
) -> None:
    """Train a step of a reward model with adapters, each way to save after the other added to the plain one."""
    from workbench.benchmarks.lora import measure_ways

    ways = measure_ways(
        model, device=device, layers=layers, pairs=pairs, micro_batch=micro_batch, rounds=rounds, threads=threads,
        say=click.echo,
    )  # fmt: skip
    click.echo(f"\n{f'{pairs} pairs':<40} {'first step':>10} {'hybrid':>14} {'standard':>14} {'scoring':>14}")
    plain = ways[0]
    for way in ways:
        figures = (
            (way.hybrid_s, plain.hybrid_s), (way.standard_s, plain.standard_s), (way.score_s, plain.score_s),
        )  # fmt: skip
        cells = " ".join(f"{seconds:7.2f} {seconds / base:5.2f}x" for seconds, base in figures)
        click.echo(f"{way.way.name:<40} {way.first_s:10.2f} {cells}")
    click.echo(
        "seconds of " + ("processor time" if device == "cpu" else "wall time") + "; ratios to the plain way"
    )


@command.command(epilog="Example: workbench bench cluster --limit 40")
@click.option(
    "--cluster",
    default="",
    metavar="ADDRESS",
    help="One whose nodes are on this machine; by default, one is started.",
)
@_workers
@_number("--jobs", 50, "Jobs that do nothing.")
@_number("--limit", 40, "Programs, of our suite's references.", least=0)
@_number("--rounds", 3, "How often each is done.")
def cluster(*, cluster: str, workers: int, jobs: int, limit: int, rounds: int) -> None:
    """Run jobs and programs on a Ray cluster of this machine, beside this machine alone; and scale that on paper."""
    import tempfile
    from pathlib import Path

    from workbench.benchmarks.cluster import LOADS, measure_costs, scaled, suite_programs
    from workbench.store.cluster import start_here

    address = cluster or start_here(workers)
    with tempfile.TemporaryDirectory() as folder:
        costs = measure_costs(
            address, suite_programs(limit), Path(folder), jobs=jobs, rounds=rounds, say=click.echo
        )
    click.echo(
        f"\na job: {1e3 * costs.job_here_s:.1f} ms here, {1e3 * costs.job_there_s:.1f} ms on the cluster: "
        f"{1e3 * costs.job_overhead_s:+.1f} ms ({1e3 * costs.job_driver_s:.1f} ms of the driver's processor)"
    )
    click.echo(
        f"a program: {1e3 * costs.program_here_s:.1f} ms here, {1e3 * costs.program_there_s:.1f} ms on the cluster: "
        f"{costs.program_overhead:+.1%} ({1e3 * costs.program_driver_s:.2f} ms of the driver's processor)"
    )
    click.echo(
        f"a MiB: {1e3 * costs.store_s_a_mib:.2f} ms from the object store, {1e3 * costs.write_s_a_mib:.2f} ms to disk"
    )
    for load in LOADS:
        click.echo(f"\n{load.name} (on paper)\n{'nodes':>7} {'hours':>9} {'efficiency':>11}   limited by")
        for nodes in (1, 10, 100):
            one = scaled(load, nodes, costs)
            click.echo(f"{nodes:7} {one.seconds / 3600:9.2f} {one.efficiency:11.0%}   {one.limit}")


@command.command(epilog="Example: workbench bench retrieval --sections 1000 --sections 10000")
@click.option(
    "--sections",
    type=click.IntRange(min=1),
    multiple=True,
    default=(1_000, 10_000, 100_000),
    show_default=True,
    metavar="N",
    help="Size of the soup; repeatable.",
)
@_number("--queries", 20, "Queries to the soup.")
@_number("--problems", 40, "Problems of the suite for the loop's bookkeeping; 0 leaves that out.", least=0)
@_workers
def retrieval(sections: tuple[int, ...], queries: int, problems: int, workers: int) -> None:
    """Search and grow the knowledge soup, beside rank_bm25 and the authors' loop of cosines."""
    import tempfile
    from pathlib import Path

    from workbench.benchmarks.retrieval import measure_bookkeeping, measure_search

    click.echo(
        "milliseconds         soup (BM25)               rank_bm25              vectors      loop of cosines"
    )
    click.echo(
        "sections      index    query   +100      index    query   ratio     query      query    ratio"
    )
    for size in sections:
        one = measure_search(size, queries=queries)
        bm25, cosines = one.rank_bm25_query_s / one.query_s, one.loop_query_s / one.dense_query_s
        click.echo(
            f"{size:8,} {one.index_s * 1e3:10,.0f} {one.query_s * 1e3:8.2f} {one.growth_s * 1e3:6.0f}"
            f" {one.rank_bm25_index_s * 1e3:10,.0f} {one.rank_bm25_query_s * 1e3:8.1f} {bm25:6.0f}x"
            f" {one.dense_query_s * 1e3:9.2f} {one.loop_query_s * 1e3:10,.0f} {cosines:7.0f}x"
        )
    if problems:
        with tempfile.TemporaryDirectory() as folder:
            spent, programs = measure_bookkeeping(problems, workers, Path(folder))
        work = spent.generation_s + spent.execution_s
        click.echo(
            f"bookkeeping of the loop: {spent.bookkeeping_s:.2f} s beside {work:.2f} s of execution and recorded "
            f"answers: {spent.bookkeeping_s / work:.1%}, {1e3 * spent.bookkeeping_s / programs:.1f} ms for each of "
            f"{programs} programs"
        )


@command.command(epilog="Example: workbench bench ppo --steps 3")
@click.option(
    "--config", default="small", show_default=True, help="small (1.3 M parameters), 1b (for a GPU) or tiny."
)
@_device
@_number("--steps", 3, "Steps that count.")
@_threads
def ppo(config: str, device: str, steps: int, threads: int) -> None:
    """Roll out and learn by PPO, beside a plain loop on transformers: same model, batch and lengths."""
    from workbench.benchmarks.ppo import measure_ppo

    speed = measure_ppo(config, steps=steps, threads=threads, device=device, say=click.echo)
    click.echo(f"\n{'tokens/s':<12} {'workbench':>10} {'plain loop':>11}   ratio")
    for part in ("rollout", "update", "step"):
        ours, plain = (speed.tokens_per_s(part, loop) for loop in ("workbench", "plain"))
        click.echo(f"  {part:<10} {ours:10,.0f} {plain:11,.0f}   {speed.ratio(part):.2f}x")
    together, apart = speed.reward_s
    click.echo(
        f"rewards of a rollout: {together * 1e3:.1f} ms together, {apart * 1e3:.1f} ms one by one: "
        f"{speed.reward_ratio:.1f}x"
    )


@command.command(epilog="Example: workbench bench families llama qwen3 t5")
@click.argument("names", nargs=-1, metavar="[FAMILY]...")
@_workers
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write the table too."
)
def families(names: tuple[str, ...], workers: int, out: Path | None) -> None:
    """Try all that is done with language models on a tiny one of each family that transformers has.

    Each cell passes, is refused by an error that says why, or is wrong; then the exit status is 1. Without names all
    families are tried, which takes minutes.
    """
    from tqdm import tqdm

    from workbench.benchmarks.families import chosen_families, family_table, measure_families
    from workbench.store.atomic import write_bytes

    chosen, rows = chosen_families(names), []
    with tqdm(total=len(chosen), unit="family", disable=None) as bar:
        for row in measure_families(chosen, workers=workers):
            rows.append(row)
            bar.update()
            if out is not None:  # what is done so far: it takes minutes
                write_bytes(out, family_table(rows).encode())
    click.echo(family_table(rows))
    if out is not None:
        click.echo(f"written: {out}")
    if any(row.fails for row in rows):
        raise SystemExit(1)


@command.command(epilog="Example: workbench bench generation --model smollm2 --limit 16")
@click.option(
    "--model", default="smollm2", show_default=True, metavar="NAME", help="A folder, .gguf file or name."
)
@click.option(
    "--problems", default="suite", show_default=True, metavar="SOURCE", help="suite, hub or a file."
)
@_number("--limit", 16, "Prompts.")
@_number("--max-new-tokens", 96, "Longest answer.")
@_number("--batch-size", 8, "Prompts at once.")
@_number("--rounds", 2, "How often all ways run in turn.")
@click.option(
    "--dtype",
    type=click.Choice(DTYPES),
    default="auto",
    show_default=True,
    help="Number type of the weights.",
)
@_device
@_threads
def generation(
    *, model: str, problems: str, limit: int, dtype: str, device: str, threads: int, **sizes: int
) -> None:
    """Answer as hf: does, with and without stop texts, beside a plain batched `generate` of the same prompts."""
    from workbench.benchmarks.generation import measure_generation
    from workbench.datasets import load_problems

    chosen = load_problems(problems)
    chosen = chosen[:: max(1, len(chosen) // limit)][:limit]
    prompts = [problem.prompt for problem in chosen]
    speed = measure_generation(
        model, prompts, device=device, dtype=dtype, threads=threads, say=click.echo, **sizes
    )
    click.echo(f"\n{'':<16} {'tokens':>8} {'tokens/s':>9}   wall, processor time a token (1: plain generate)")
    for arm, tokens in speed.tokens.items():
        wall, processor = speed.ratio(arm)
        click.echo(f"  {arm:<14} {tokens:8,} {1 / speed.wall_s[arm]:9.1f}   {wall:.2f}x  {processor:.2f}x")


@command.command(epilog="Example: workbench bench served smollm2@transformers --prompts 4 --samples 4")
@click.argument("spec", metavar="MODEL[@ENGINE]")
@_number("--prompts", 8, "Prompts.")
@_number("--samples", 8, "Samples a prompt.")
@_number("--max-new-tokens", 64, "Longest answer.")
@_number("--rounds", 2, "How often both run in turn.")
@click.option("--device", default="auto", show_default=True, help="Where it computes.")
def served(spec: str, prompts: int, device: str, **sizes: int) -> None:
    """Answer as served:MODEL does, beside bare requests that keep the same engine full."""
    from workbench.benchmarks.served import measure_served
    from workbench.datasets import load_problems

    chosen = load_problems("suite")
    texts = [problem.prompt for problem in chosen[:: max(1, len(chosen) // prompts)][:prompts]]
    speed = measure_served(spec, texts, device=device, say=click.echo, **sizes)
    click.echo(f"\n{speed.engine}: {speed.answers} answers by {speed.requests} requests")
    click.echo(f"  workbench      {speed.tokens_per_s:9.1f} tokens/s")
    click.echo(f"  bare requests  {speed.plain_tokens_per_s:9.1f} tokens/s   ratio {speed.ratio:.2f}")
    click.echo(
        f"  samples under way: {speed.under_way:.1f} in the mean; the engine works on {speed.capacity} at once"
    )


def _leaks(count: int, workers: int) -> None:
    from tqdm import tqdm

    from workbench.benchmarks.sandbox import measure_leaks

    with tqdm(total=count, unit="program") as bar:
        report = measure_leaks(count, workers, lambda step: bar.update(step) and None)
    ours, zygotes = (growth / 2**20 for growth in report.memory_growth_bytes)
    rate = report.programs / report.seconds
    click.echo(f"{report.passed} of {report.programs} passed, {rate:.0f} a second")
    click.echo(
        f"memory gained after the first tenth: {ours:+.1f} MiB here, {zygotes:+.1f} MiB in the zygotes"
    )
    click.echo(
        f"left: {report.processes} processes, {report.descriptors} descriptors, {report.folders} folders"
    )
