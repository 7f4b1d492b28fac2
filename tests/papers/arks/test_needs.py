"""What ARKS needs: the programs of each task are looked at wherever its data lie, and though they cannot be had."""

import json

import pytest
from paper_notebooks import settings_of

from workbench.core.errors import RuntimeMissingError
from workbench.papers.arks.needs import needs
from workbench.runs.needs import HoursNeed


def programs(data):
    given = settings_of("arks", {"data": data, "models": ["recorded:answers.jsonl"]})
    (found,) = [need for need in needs(given) if need.name.startswith("programs of")]
    return found


def test_the_programs_of_data_in_a_folder_are_looked_at(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    (tmp_path / "packages" / "newScience").mkdir(parents=True)
    (tmp_path / "packages" / "newScience" / "__init__.py").write_text("")
    (tmp_path / "ScipyM").mkdir()
    case = {"input": "gARLAS4=", "output": "gARLAi4="}  # pickles of 1 and 2
    row = {
        "problem_description": "Double it.", "code_context": "import absent_part\n[insert]", "test_cases": [case] * 2,
        "test_code": "def test(result, expected):\n    return int(result == expected)\n",
    }  # fmt: skip
    (tmp_path / "ScipyM" / "ScipyM.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "ScipyM" / "ScipyM_docs.jsonl").write_text(json.dumps({"id": "page", "content": "twice"}))
    with pytest.raises(RuntimeMissingError, match="no module absent_part,"):
        programs(f"ScipyM:{tmp_path}").check()


def test_what_all_problems_need_is_looked_for_while_they_cannot_be_had(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("workbench.papers.arks.needs.hub_fault", lambda: "no network")
    monkeypatch.setattr("workbench.runs.needs.HubFiles.is_kept", False)
    for data in (f"Pony:{tmp_path}", "Pony"):
        with pytest.raises(RuntimeMissingError, match="ponyc"):
            programs(data).check()


def hours(**given):
    found = needs(settings_of("arks", {"data": "fresh:scipy", "models": ["hf:some/model"], **given}))
    (need,) = [one for one in found if isinstance(one, HoursNeed)]
    return need.work[0]


def test_hours_are_those_of_the_settings_that_are_run_and_of_the_problems_there_are():
    whole = hours(problems=0)
    assert hours(problems=10**6) == whole, "our suite has some on SciPy, and no more"
    assert hours(problems=1).read < whole.read / 2
    assert hours(problems=0, families=["main"]).written < whole.written / 2
    # with nothing, with what was retrieved, and with the right documents: all other first prompts are one of these
    once = hours(problems=1, rounds=1)
    assert once.written * 2 == 3 * hours(problems=1, rounds=1, families=["main"]).written
