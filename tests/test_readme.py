"""What the README says can be done is done as it is written."""

import re
import subprocess
import sys
from pathlib import Path

from click import Context, Group
from click.testing import CliRunner

from workbench.cli.main import cli

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_example_runs_as_written(tmp_path):
    example, *_ = re.findall(
        r"```python\n(.*?)```", TEXT, re.DOTALL
    )  # the cookbook's have tests of their own
    assert len([line for line in example.splitlines() if line.strip()]) <= 15
    # a script of the reader's own, anywhere
    script = tmp_path / "example.py"
    script.write_text(example)
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"42\n\npass@1 0\.\d\d, memorization gap 0\.\d\d\n", done.stdout), done.stdout


def test_links_and_pictures_lead_somewhere():
    targets = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_its_commands_and_options_exist():
    for line in re.findall(r"^(?:[A-Z_]+=\S+ )*(workbench [^#\n]*)", TEXT, re.MULTILINE):
        words = line.split()[1:]
        depth = 2 if isinstance(cli.get_command(Context(cli), words[0]), Group) else 1
        shown = CliRunner().invoke(cli, [*words[:depth], "--help"])
        assert shown.exit_code == 0, line
        told = shown.output
        if "--help-all" in told:
            told = CliRunner().invoke(cli, [*words[:depth], "--help-all"]).output
        for option in (word for word in words if re.fullmatch(r"--?[a-z][a-z-]*", word)):
            assert option in told, line


def test_its_make_targets_exist():
    made = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"(?:^|`)make ([\w-]+)", TEXT, re.MULTILINE))
    assert {"run", "test", "lab", "check"} <= targets
    for target in targets:
        assert f"\n{target}:" in made, target
