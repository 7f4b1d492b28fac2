"""Documentation as a source: sections of Markdown, rst and HTML, folders, packages, JSON lines, DS-1000."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.errors import DataError
from workbench.datasets.ds1000 import Problem
from workbench.retrieval import KnowledgeSoup, pages
from workbench.retrieval.documentation import (
    DocumentationFile,
    DocumentationFolder,
    PackageDocumentation,
    documents_apart,
)
from workbench.retrieval.ds1000 import coding_problem
from workbench.retrieval.pages import page_parts
from workbench.retrieval.sections import SUFFIXES, cut, html_sections

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


def texts(html: str) -> list[str]:
    return [section.text for section in html_sections(html, "doc") if section.text]


def test_an_articles_heading_may_stand_in_its_header():
    html = (
        "<body><header><h1>Site</h1></header><article><header><h1>Title</h1><p>By Ada</p>"
        "<nav><h2>Menu</h2></nav></header><p>Text.</p></article><article><p>More.</p></article></body>"
    )
    assert texts(html) == ["# Title\n\nText.\n\nMore."]


def test_a_page_that_stands_in_a_form_is_read_without_the_forms_controls():
    html = "<body><form><p>Text.</p><label>Search <input></label><button>Go</button></form></body>"
    assert texts(html) == ["Text."]


@pytest.mark.parametrize(
    ("html", "said"),
    [
        (
            "<h2>Open<p>a</p><h3>Next</h3>b",
            ["## Open a", "### Next\n\nb"],
        ),  # a heading ends where the next begins
        ("<p>a<br>b</p></div></p><p>c", ["a\n\nb\n\nc"]),
        ("<p>a &lt; b &amp; c</p><!-- <h1>no</h1> --><p>d", ["a < b & c\n\nd"]),
        ("<p>a</p><![foo[ x ]]><p>b</p><a href='never", ["a\n\nb"]),
        ("<p>a</p><!-- never ended <p>b</p>", ["a"]),
    ],
)
def test_html_that_is_not_well_formed(html: str, said: list[str]):
    assert texts(html) == said


def lines_run(function) -> int:
    """Count the lines of Python that a call runs, those of the libraries it calls too."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(
    "piece",
    [
        "<h2>f{}</h2><p>words <code>x</code></p>\n",
        "<li>item {}\n",
        "<div>{}",
        "<nav><a>x</a></nav>y{}",
        "</p>",
    ],
)
def test_a_page_twice_as_long_is_twice_the_work(piece: str):
    """It was four times the work: 1 MB took 25 seconds, and 38 MB never ended."""
    short, long = ("".join(piece.format(number) for number in range(n)) for n in (400, 800))
    assert lines_run(lambda: cut(long, "t", ".html")) < 2.2 * lines_run(lambda: cut(short, "t", ".html"))


def test_a_tag_that_never_ends_is_not_looked_at_again_and_again(monkeypatch: pytest.MonkeyPatch):
    looked = []
    feed = pages._Reader.feed
    monkeypatch.setattr(pages, "_AT_ONCE", 10)
    monkeypatch.setattr(
        pages._Reader, "feed", lambda self, data: (feed(self, data), looked.append(len(self.rawdata)))
    )
    assert page_parts("<p>a</p><a title='" + "x" * 10_000) == ["\na\n "]
    assert sum(looked) < 3 * 10_000


LATIN = "café - naïve"
META = b"<META http-equiv=Content-Type content='text/html; charset=ISO-8859-1'><body>"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", LATIN.encode("utf-8")),
        ("a.md", LATIN.encode("utf-8-sig")),
        ("a.txt", LATIN.encode("utf-16")),
        ("a.rst", b"\xfe\xff" + LATIN.encode("utf-16-be")),
        ("a.txt", LATIN.encode("utf-32")),
        ("a.html", b'<meta charset="latin-1"><body>' + LATIN.encode("latin-1")),
        ("a.htm", META + LATIN.encode("latin-1")),
        ("a.html", b'<?xml version="1.0" encoding="iso-8859-15"?><body>' + LATIN.encode("latin-1")),
        ("a.html", b'<meta charset="utf-16"><body>' + LATIN.encode("utf-8")),  # what could be read is not UTF-16
        ("a.html", b'<meta charset="ascii"><body>' + LATIN.encode("cp1252")),
    ],
)  # fmt: skip
def test_a_file_is_read_in_the_encoding_that_it_tells(name: str, content: bytes, tmp_path: Path):
    (tmp_path / name).write_bytes(content)
    (item,) = DocumentationFolder(tmp_path).items()
    assert item.text == LATIN


def test_comments_tell_the_encoding_of_text_and_line_ends_are_one(tmp_path: Path):
    (tmp_path / "a.rst").write_bytes(".. -*- coding: latin-1 -*-\r\n\r\ncafé".encode("latin-1"))
    (item,) = DocumentationFolder(tmp_path).items()
    assert item.text == ".. -*- coding: latin-1 -*-\n\ncafé"


def test_files_in_an_encoding_that_they_do_not_tell_are_all_named(tmp_path: Path):
    (tmp_path / "good.md").write_text("fine")
    (tmp_path / "a.txt").write_bytes(b"caf\xe9 au lait")
    (tmp_path / "b.html").write_bytes(b"<meta charset=klingon><p>x")
    (tmp_path / "c.html").write_bytes(b"<meta charset=utf-8><p>\xe9x")
    with pytest.raises(DataError) as caught:
        list(DocumentationFolder(tmp_path).items())
    for told in ("a.txt: declares no encoding, and is not utf-8 at byte 3", "b.html: declares the encoding 'klingon'",
                 "c.html: declares utf-8, and is not utf-8 at byte 23"):  # fmt: skip
        assert told in caught.value.got
    assert "iconv" in caught.value.fix


def test_a_file_whose_name_is_no_utf_8_is_read(tmp_path: Path):
    try:
        (tmp_path / os.fsdecode(b"caf\xe9.md")).write_text("Text.")
    except OSError as error:
        pytest.skip(f"this file system takes no such name: {error}")
    source = DocumentationFolder(tmp_path)
    (item,) = source.items()
    assert (item.parent, item.title) == (r"caf\xe9.md", r"caf\xe9")
    json.dumps(item.parent).encode()
    assert source.fingerprint == DocumentationFolder(tmp_path).fingerprint


def test_documents_of_one_name_in_two_folders_stay_two(tmp_path: Path):
    for folder, text in (("a", "apples"), ("b", "bananas")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "index.md").write_text(f"About {text}.")
        (tmp_path / folder / "licence.md").write_text("The same text.")
    sources = [(folder, DocumentationFolder(tmp_path / folder)) for folder in "ab"]
    with pytest.warns(UserWarning, match="1 documents have the name of another one.*: b/index.md"):
        soup = KnowledgeSoup(items=documents_apart(sources))
    assert [item.parent for item in soup.items] == ["index.md", "licence.md", "b/index.md"]
    assert [hit.item.parent for hit in soup.search("bananas", "documentation")] == ["b/index.md"]
    assert [item.text for item in soup.document("documentation", "index.md")] == ["About apples."]


def test_a_documents_name_is_a_text_or_a_number_and_never_none(tmp_path: Path):
    file = tmp_path / "d.jsonl"
    rows: list[dict] = [
        {"id": None, "text": "a"},
        {"id": 7, "title": None, "text": "b"},
        {"text": None, "content": "c"},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    items = list(DocumentationFile(file).items())
    assert [(item.parent, item.title, item.text) for item in items] == [
        ("1", "1", "a"), ("7", "7", "b"), ("3", "3", "c"),
    ]  # fmt: skip
    rows = [{"id": ["x"], "text": "a"}, {"id": "x", "title": 1.5, "text": "b"}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError) as caught:
        list(DocumentationFile(file).items())
    for told in ("line 1: id is a list, not a text", "line 2: title is a number, not a text"):
        assert told in caught.value.got
