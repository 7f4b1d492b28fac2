"""Tables of text keep their columns."""

from workbench.core.text_table import aligned


def test_columns_are_even() -> None:
    assert aligned([["a", "bb"], None, ["ccc", "d"]]) == "a    bb\n-------\nccc   d"
    assert aligned([["a", "b", "1"], ["c", "dd", "22"]], left=2) == "a  b    1\nc  dd  22"
