"""`workbench arks`: code generation with retrieval, on your own library."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click

from workbench.cli.option_types import AMOUNT, cluster_option, further_option, help_all
from workbench.core.terminal import echo

EXAMPLE = (
    "Example: workbench arks run --package mylib --docs docs/ --problems problems.jsonl "
    "--generator hf:Qwen/Qwen2.5-Coder-1.5B-Instruct --out out/mylib"
)


@click.group(epilog=EXAMPLE, short_help="Write code on an unfamiliar library, with retrieval.")
def command() -> None:
    """Solve problems on an unfamiliar library with its documentation, retrieved again after each error."""


@command.command("run", epilog=EXAMPLE)
@click.option("--problems", type=click.Path(path_type=Path), help="Problems, a JSON object a line.")
@click.option("--tasks", metavar="NAMES", help="Instead: tasks of EVOR-bench, by commas, or all.")
@further_option("--evor", default="hub", metavar="DIR", help="Folder of EVOR-bench [hub].")
@click.option(
    "--generator",
    required=True,
    metavar="SPEC",
    help="hf:NAME, served:MODEL, openai:MODEL or recorded:trace.jsonl.",
)
@click.option(
    "--package", "packages", multiple=True, help="Use this installed package's docstrings; repeatable."
)
@click.option(
    "--docs",
    multiple=True,
    metavar="PATH",
    help="Use this folder (Markdown, rst, HTML) or .jsonl; repeatable.",
)
@click.option("--web", metavar="SPEC", help="brave, or folder:PATH of saved pages.")
@click.option(
    "--retriever",
    type=click.Choice(["bm25", "dense", "hybrid"]),
    default="bm25",
    show_default=True,
    help="Retriever.",
)
@further_option(
    "--encoder", metavar="NAME", help="Encoder of the dense retriever; by default one that is installed."
)
@click.option(
    "--query",
    type=click.Choice(["question", "code", "explanation", "execution_feedback"]),
    default="code",
    show_default=True,
    help="Query of later rounds.",
)
@click.option(
    "--sources",
    metavar="NAMES",
    help="Sources in prompts, by commas: some of documentation, execution_feedback, code_snippets, web_search.",
)
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    help="Rounds: programs per problem, at most.",
)
@further_option(
    "--documents",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    help="Retrieved documents per query.",
)
@further_option("--runtime", default="main", show_default=True, help="Environment the programs run in.")
@click.option(
    "--workers", type=click.IntRange(min=1), default=2, show_default=True, help="Programs run at a time."
)
@cluster_option
@further_option(
    "--timeout", type=AMOUNT, default=60.0, show_default=True, help="Time limit of a program, in seconds."
)
@further_option(
    "--memory", type=AMOUNT, default=4.0, show_default=True, help="Memory limit of a program, in GiB."
)
@further_option(
    "--max-new-tokens", type=int, default=1024, show_default=True, help="Longest answer, in tokens."
)
@further_option("--batch-size", type=int, default=8, show_default=True, help="Batch size in prompts (hf).")
@click.option("--quantize", type=click.Choice(["4bit", "8bit"]), help="Quantize the weights (hf).")
@further_option("--device", default="auto", show_default=True, help="Device of the model (hf).")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("out/arks"),
    show_default=True,
    help="Output folder.",
)
@further_option(
    "--retry-failed", is_flag=True, help="Request again the answers that an endpoint failed to give."
)
@help_all
def run(**options: Any) -> None:
    """Run active retrieval, and print accuracy by round.

    The folder gets trace.jsonl (each round's query, documents, prompt, program and error), results.json and what
    is needed to go on: interrupted, the same command continues. Of EVOR-bench each task has a folder of its own.
    """
    accuracies = {}
    for name, load in _asked(options).items():
        if name:
            echo(f"task {name}")
        accuracies[name] = _solve(*load(), options | {"out": options["out"] / name})
    if len(accuracies) > 1:
        echo("accuracy by task: " + ", ".join(f"{name} {value:.3f}" for name, value in accuracies.items()))


def _asked(options: dict[str, Any]) -> dict[str, Callable[[], tuple[Any, list[Any]]]]:
    """Return, by the name of a task (empty: the user's own), what loads its problems and its documentation.

    Raises:
        SettingsError: There are not either problems or tasks, or a task is unknown.
    """
    from workbench.core.errors import SettingsError
    from workbench.datasets.evor import TASKS
    from workbench.retrieval.documentation import documents_apart
    from workbench.retrieval.problem_files import load_coding_problems

    if bool(options["problems"]) == bool(options["tasks"]):
        raise SettingsError(
            got="both --problems and --tasks" if options["tasks"] else "neither --problems nor --tasks",
            needed="one of them",
            fix="give --problems FILE for your own, or --tasks all for EVOR-bench",
        )
    if options["problems"]:
        own = options["problems"]
        return {"": lambda: (load_coding_problems(own), list(documents_apart(_documentation(options))))}
    words = [word.strip() for word in options["tasks"].split(",") if word.strip()]
    names = list(TASKS) if words == ["all"] else words
    unknown = [name for name in names if name not in TASKS]
    if unknown or not names:
        raise SettingsError(
            f"tasks {', '.join(unknown) or 'none'}",
            f"all, or some of {', '.join(TASKS)}",
            "correct the names",
        )
    return {name: partial(_evor_task, name, options["evor"]) for name in names}


def _evor_task(name: str, source: str) -> tuple[Any, list[Any]]:
    from workbench.datasets.evor import load_evor
    from workbench.retrieval.documentation import document_items

    task = load_evor(name, source)
    pages = ((page.id, page.text) for page in task.documents)
    return task.problems, [item for title, text in pages for item in document_items(title, title, text)]


def _solve(problems: Any, documentation: list[Any], options: dict[str, Any]) -> float:
    """Run the loop on problems, print what came of it, and return the accuracy after the last round."""
    from workbench.generators.settings import GenerationSettings
    from workbench.languages.toolchains import with_toolchains
    from workbench.retrieval import ActiveRetrievalSettings, KnowledgeSoup, active_retrieval
    from workbench.retrieval.coding import make_coder
    from workbench.retrieval.execution import imported_modules
    from workbench.retrieval.web import WebSearch, make_provider
    from workbench.sandbox import open_on
    from workbench.sandbox.installed import require_imports, with_installed
    from workbench.store.cluster import workers_on

    web = WebSearch(make_provider(options["web"]), options["out"] / "web.jsonl") if options["web"] else None
    usual = (*ActiveRetrievalSettings().sources, *(("web_search",) if web else ()))
    named = options["sources"]
    settings = ActiveRetrievalSettings(
        query=options["query"],
        sources=usual if named is None else tuple(word.strip() for word in named.split(",") if word.strip()),
        rounds=options["rounds"],
        documents=options["documents"],
    )
    generation = GenerationSettings(
        temperature=0,
        **{name: options[name] for name in ("max_new_tokens", "batch_size", "quantize", "device")},
    )
    generator = make_coder(options["generator"], generation)
    soup = KnowledgeSoup(_retriever(options))
    soup.add(documentation)
    memory = int(options["memory"] * 2**30)
    imported = imported_modules(problems)
    readable = with_installed(options["runtime"], [*options["packages"], *imported])
    runtime = with_toolchains(readable, (problem.language for problem in problems))
    where = workers_on(options["cluster"], options["workers"], "cpu")
    with open_on(where, runtime, options["timeout"], memory) as sandbox:
        require_imports(sandbox, options["packages"], imported)
        result = active_retrieval(
            problems,
            soup,
            generator,
            sandbox,
            settings,
            folder=options["out"],
            web=web,
            retry_failed=options["retry_failed"],
        )
    echo(f"{len(problems)} problems, {len(soup)} sections of documentation, {generator.name}")
    echo("round   asked   accuracy   runs   silent   recall   tokens read   written")
    for one in result.rounds:
        recall = "-" if one.recall is None else f"{one.recall:.2f}"
        echo(
            f"{one.round:5} {one.asked:7} {one.accuracy:10.3f} {one.ran:6.3f} {one.silent:8.3f} {recall:>8}"
            f" {one.prompt_tokens:13,} {one.answer_tokens:9,}"
        )
    echo("silent: runs without an error, and is wrong; the loop cannot know")
    for line in _losses(result, options["max_new_tokens"]):
        echo(line)
    echo(f"written: {options['out']}/trace.jsonl, results.json")
    return float(result.accuracy)


def _losses(result: Any, max_new_tokens: int) -> Iterator[str]:
    """Yield a line for each kind of answer that is none, or only a part of one."""
    steps = result.steps
    missing = [step for step in steps if step.is_missing]
    if missing:
        yield (
            f"no answer: {len(missing)} of {len(steps)} prompts, which count as wrong; the endpoint said: "
            f"{missing[0].said} (--retry-failed asks again)"
        )
    if cut := sum(one.cut for one in result.rounds):
        yield f"cut: {cut} of {len(steps)} answers reached --max-new-tokens {max_new_tokens}"
    if empty := sum(one.empty for one in result.rounds):
        yield f"empty: {empty} of {len(steps)} answers hold no code"


def _retriever(options: dict[str, Any]) -> Any:
    from workbench.retrieval.bm25 import BM25Retriever

    if options["retriever"] == "bm25":
        return BM25Retriever()
    from workbench.retrieval.dense import DenseRetriever
    from workbench.retrieval.hybrid import HybridRetriever

    dense = DenseRetriever(options["encoder"], cache=options["out"])
    return dense if options["retriever"] == "dense" else HybridRetriever((BM25Retriever(), dense))


def _documentation(options: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return the sources of documentation by what the user calls them."""
    from workbench.retrieval.documentation import DocumentationFile, DocumentationFolder, PackageDocumentation

    files = [
        (Path(p).as_posix(), DocumentationFile(p) if ".jsonl" in Path(p).name else DocumentationFolder(p))
        for p in options["docs"]
    ]
    return [*((name, PackageDocumentation(name)) for name in options["packages"]), *files]
