"""The command line: `workbench SUBCOMMAND`, each subcommand a file of workbench/cli/commands."""

from __future__ import annotations

import errno
import importlib
import io
import pkgutil
import sys

import click

from workbench.cli import commands
from workbench.core.errors import FileError, InternalError, RunError, WorkbenchError
from workbench.core.suggestion import suggestion

__all__ = ["cli", "main"]

BROKEN, FAULT, INTERRUPTED = 1, 2, 130
"""Exit statuses: of the workbench's own faults; of the user's, as click's; and of Ctrl-C, as shells have it."""


class _Commands(click.Group):
    """A group that finds its commands in workbench/cli/commands, and says errors in their own words."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        names = (module.name for module in pkgutil.iter_modules(commands.__path__))
        return sorted(name.replace("_", "-") for name in names)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"workbench.cli.commands.{name.replace('-', '_')}")
        command: click.Command = module.command
        command.name = name
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            known = self.list_commands(ctx)
            ctx.fail(f"no command {args[0]!r}{suggestion(args[0], known)}; there are {', '.join(known)}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        if ctx.params.get("debug"):
            return super().invoke(ctx)
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except WorkbenchError as fault:
            said = fault
        except OSError as fault:
            if fault.errno == errno.EPIPE:  # whoever read the output has had enough: click ends quietly
                raise
            said = FileError.of(fault)
        except ModuleNotFoundError as fault:
            said = _missing_package(fault, _more(ctx))
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            raise SystemExit(INTERRUPTED) from None
        except Exception as fault:
            said = _no_memory(fault) or InternalError.of(fault, _more(ctx))
        click.echo(str(said), err=True)
        raise SystemExit(BROKEN if isinstance(said, InternalError) else FAULT) from None


def _more(ctx: click.Context) -> str:
    """Return the command that shows the whole traceback; its words may hold secrets, and are not repeated."""
    return f"workbench --debug {ctx.invoked_subcommand} ..."


def _no_memory(fault: Exception) -> WorkbenchError | None:
    if type(fault).__name__ not in ("MemoryError", "OutOfMemoryError"):  # the second one is torch's
        return None
    said = (str(fault).strip() or "no more memory").splitlines()[0]
    fix = "close something, take a smaller model, batch or profile; the same command then goes on where it stopped"
    return RunError(f"{type(fault).__name__}: {said}", "more memory than is free", fix)


def _missing_package(fault: ModuleNotFoundError, more: str) -> WorkbenchError:
    package = (fault.name or "").partition(".")[0]
    if not package or package == "workbench":  # no package that could be installed
        return InternalError.of(fault, more)
    return RunError(
        got=f"no package {package} in this environment ({sys.executable})",
        needed="the packages that this command uses",
        fix="`workbench doctor` says how to install an optional one; install the workbench again for all others",
    )


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: workbench run ds1000 --profile laptop",
)
@click.option("--debug", is_flag=True, help="Show whole tracebacks; may stand anywhere in the command.")
@click.version_option(package_name="alignment-workbench", prog_name="workbench")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Align and evaluate language models: run papers' experiments, grade code, compare results."""
    ctx.obj = {"debug": debug}


def main(arguments: list[str] | None = None) -> None:
    """Run the command line.

    Args:
        arguments: The words after `workbench`; those of this process if None.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = words[: words.index("--")] if "--" in words else words
    if "--debug" in options:  # allowed anywhere, because it is added to a command that has just failed
        words.remove("--debug")
        words.insert(0, "--debug")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr: names of files need be no UTF-8
    try:
        cli.main(args=words, prog_name="workbench")
    except OSError as fault:  # before a command begins: of the help, or of what Tab asks for
        raise SystemExit(f"{FileError.of(fault)}") from None


if __name__ == "__main__":
    main()
