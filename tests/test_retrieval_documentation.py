"""Documentation as a source: sections of Markdown, rst and HTML, folders, packages, JSON lines, DS-1000."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.datasets.ds1000 import Problem
from workbench.errors import DataError
from workbench.retrieval import KnowledgeSoup
from workbench.retrieval.documentation import DocumentationFile, DocumentationFolder, PackageDocumentation
from workbench.retrieval.ds1000 import coding_problem
from workbench.retrieval.sections import SUFFIXES, cut

MARKDOWN = """Before.

# One

```python
# no heading
x = 1
```

Two
---

- text
"""
RST = """=====
Title
=====

Before.

Parameters
----------
a : list

Returns
-------
b : int
"""


def parts(text: str, suffix: str, longest: int = 1) -> list[tuple[str, int, str]]:
    return [(one.title, one.line, one.text) for one in cut(text, "doc", suffix, longest=longest)]


def test_a_short_document_stays_whole():
    assert [(title, line) for title, line, _ in parts(MARKDOWN, ".md", 10_000)] == [("doc", 1)]
    assert parts("", ".md") == []
    assert parts("\n \n", ".txt") == []


def test_markdown_is_cut_at_headings_and_not_inside_of_code():
    found = parts(MARKDOWN, ".md", 40)
    assert [(title, line) for title, line, _ in found] == [("doc", 1), ("One", 3), ("Two", 10)]
    assert found[1][2] == "# One\n\n```python\n# no heading\nx = 1\n```"
    assert found[2][2] == "Two\n---\n\n- text"


def test_rst_and_docstrings_are_cut_at_underlined_titles():
    found = parts(RST, ".rst", 30)
    assert [(title, line) for title, line, _ in found] == [
        ("Title", 1), ("Parameters", 7), ("Returns", 11),
    ]  # fmt: skip
    assert found[1][2] == "Parameters\n----------\na : list"


def test_html_is_cut_at_headings_without_navigation_and_scripts():
    html = (
        "<html><head><script>var x</script></head><body><nav>menu</nav><p>Before.</p>"
        "<h2 id='a'><code>zorp</code>(values)<a>¶</a></h2><p>Sorts &amp; more.</p><pre>a = 1\n  b</pre>"
        "<footer>end</footer></body></html>"
    )
    assert parts(html, ".html", 45) == [
        ("doc", 0, "Before."),
        ("zorp(values)", 0, "## zorp(values)\n\nSorts & more.\n\na = 1\n  b"),
    ]


def test_a_long_section_is_cut_at_empty_lines_and_short_neighbours_stay_together():
    text = "\n\n".join(f"paragraph {number} " + "x" * 30 for number in range(4))
    assert [line for _, line, _ in parts(text, ".txt", 100)] == [1, 5]
    heads = "\n\n".join(f"# h{number}\n\nt" for number in range(4)) + "\n\n" + "y" * 200
    assert [one[1] for one in parts(heads, ".md", 100)] == [1, 13]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(["# h", "", "text here", "---", "===", "```", "  code", "<p>x</p>"]), max_size=30
    ),
    st.sampled_from(sorted(SUFFIXES)),
    st.integers(1, 60),
)
def test_no_word_is_lost_and_none_comes_twice(lines, suffix, longest):
    text = "\n".join(lines)
    found = cut(text, "doc", suffix, longest=longest)
    if not suffix.startswith(".htm"):
        assert "".join("".join(one.text for one in found).split()) == "".join(text.split())
        everything = text.split("\n")
        for one in found:
            assert one.text.split("\n")[0].strip() == everything[one.line - 1].strip() or not one.text.strip()


def test_a_folder_gives_its_files_in_order_with_where_they_are_from(tmp_path: Path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "sort.md").write_text("# Sort\n\n" + "words " * 300 + "\n\n# More\n\n" + "text " * 300)
    (tmp_path / "a.rst").write_text("Head\n====\n\nkeeps the head")
    (tmp_path / ".hidden.md").write_text("x")
    (tmp_path / "picture.png").write_text("x")
    source = DocumentationFolder(tmp_path)
    items = list(source.items())
    assert [(one.parent, one.section, one.title, one.provenance) for one in items] == [
        ("a.rst", 0, "a", "a.rst:1"), ("b/sort.md", 0, "sort", "b/sort.md:1"),
        ("b/sort.md", 1, "sort - More", "b/sort.md:5"),
    ]  # fmt: skip
    assert items == list(DocumentationFolder(tmp_path).items())
    before = source.fingerprint
    (tmp_path / "a.rst").write_text("other")
    assert DocumentationFolder(tmp_path).fingerprint != before


def test_a_folder_without_documentation_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match="no file of documentation"):
        DocumentationFolder(tmp_path)
    with pytest.raises(DataError, match="no folder"):
        DocumentationFolder(tmp_path / "none")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    root = tmp_path / "knotpackage"
    (root / "tests").mkdir(parents=True)
    (root / "__init__.py").write_text(
        "from knotpackage.core import zorp, Rope\n__all__ = ['zorp']\n__version__ = '1.2'\n"
    )
    (root / "core.py").write_text(
        "import json\n\n"
        "def zorp(values, reverse=object()):\n    '''Sort numbers.'''\n\n"
        "def _private(): '''x'''\n\n"
        "class Rope:\n    '''A rope.'''\n    def cut(self, where):\n        '''Cut it.'''\n    def _no(self): ''\n"
    )
    (root / "broken.py").write_text("import no_such_module\n")
    (root / "tests" / "__init__.py").write_text("raise SystemExit\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "knotpackage"


def test_a_package_gives_its_public_docstrings_once_under_their_public_names(package: str):
    source = PackageDocumentation(package)
    assert [(one.title, one.text) for one in source.items()] == [
        ("knotpackage.zorp", "knotpackage.zorp(values, reverse=<object object at 0x...>)\n\nSort numbers."),
        ("knotpackage.core.Rope", "knotpackage.core.Rope()\n\nA rope."),
        ("knotpackage.core.Rope.cut", "knotpackage.core.Rope.cut(self, where)\n\nCut it."),
    ]
    assert "1.2" in source.fingerprint
    assert len(list(PackageDocumentation(package, submodules=False).items())) == 1
    soup = KnowledgeSoup(items=source.items())
    assert soup.search("sort numbers", "documentation")[0].item.provenance == "package:knotpackage.zorp:1"


def test_a_real_packages_docstrings_are_cut_at_their_own_sections():
    items = list(PackageDocumentation("numpy.linalg", submodules=False).items())
    sections = [one.title for one in items if one.parent == "numpy.linalg.svd"]
    assert sections[0] == "numpy.linalg.svd"
    assert "numpy.linalg.svd - Notes" in sections


def test_a_package_that_cannot_be_imported_is_refused():
    with pytest.raises(DataError, match="'no_such_package' cannot be imported: ModuleNotFoundError"):
        PackageDocumentation("no_such_package")


def test_a_file_gives_a_document_a_line(tmp_path: Path):
    path = tmp_path / "docs.jsonl"
    rows = [
        {"id": "kimo.besu", "kind": "function", "text": "Sorts."},
        {"title": "zorp(values)", "content": "Arranges."},
        {"text": "Nameless."},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [(one.parent, one.title, one.text, one.provenance) for one in DocumentationFile(path).items()] == [
        ("kimo.besu", "kimo.besu", "Sorts.", "docs.jsonl:1:1"),
        ("zorp(values)", "zorp(values)", "Arranges.", "docs.jsonl:2:1"),
        ("3", "3", "Nameless.", "docs.jsonl:3:1"),
    ]


def test_a_files_faults_are_all_told(tmp_path: Path):
    path = tmp_path / "docs.jsonl"
    path.write_text('{"id": "a", "text": "x"}\n{"id": "a", "text": "y"}\n{"id": "b"}\nnonsense\n')
    with pytest.raises(DataError) as caught:
        list(DocumentationFile(path).items())
    for told in ("line 2: id 'a' was already on line 1", "line 3: no text", "line 4: not JSON"):
        assert told in caught.value.got


def test_a_file_without_documents_is_refused(tmp_path: Path):
    path = tmp_path / "docs.jsonl"
    path.touch()
    with pytest.raises(DataError, match="is empty"):
        list(DocumentationFile(path).items())


def ds1000(prompt: str) -> Problem:
    return Problem(7, "Numpy", 1, "Origin", 1, 1, prompt, "result = a", "the tests")


def test_a_ds1000_problem_shows_its_example_and_hides_its_tests():
    prompt = (
        "Problem:\nDouble it.\n\nA:\n<code>\nimport numpy as np\na = np.ones(2)\n</code>\n"
        "result = ... # put solution in this variable\nBEGIN SOLUTION\n<code>\n"
    )
    problem = coding_problem(ds1000(prompt))
    assert problem.question == "Double it.\n\nLeave the solution in the variable result."
    assert (
        problem.code_context
        == problem.visible_runs[0].context
        == ("import numpy as np\na = np.ones(2)\n[insert]\n")
    )
    assert problem.hidden_tests[0].tests == "the tests"
    assert (problem.problem_id, problem.library) == ("7", "Numpy")


def test_a_ds1000_problem_whose_answer_is_a_functions_body_is_refused():
    prompt = "Problem:\nx\nA:\n<code>\ndef f(a):\n    # return the solution\n    ### BEGIN SOLUTION"
    with pytest.raises(DataError, match="the body of f"):
        coding_problem(ds1000(prompt))
