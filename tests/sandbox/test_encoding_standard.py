"""What the standard library defines crosses by its place in it; what only says so is refused."""

from __future__ import annotations

import http
import pathlib
import re
import signal
import time
import urllib.parse
from typing import Any

import pytest
from matplotlib.cbook import CallbackRegistry

from workbench.sandbox.inside.encoding import ForbiddenResult, decode, encode, frame

VALUES: tuple[Any, ...] = (
    http.HTTPStatus.NOT_FOUND,
    signal.SIGTERM,
    re.IGNORECASE | re.MULTILINE,
    urllib.parse.urlparse("https://example.org/a?b=c"),
    time.gmtime(0),
    re.compile(r"a+", re.IGNORECASE),
    re.compile(rb"\d"),
    pathlib.PureWindowsPath("c:/a/b"),
)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_come_back_equal_and_of_their_class(value: Any):
    read = decode(encode([value]))[0]
    assert type(read) is type(value)
    assert read == value


@pytest.mark.parametrize(
    "node",
    [
        ["standard member", ["http", "HTTPStatus"], [999]],
        ["standard member", ["http", "HTTPStatus"], [None]],
        ["standard member", ["http.client", "HTTPStatus"], [404]],  # shown there, and defined elsewhere
        ["standard member", ["subprocess", "Popen"], ["true"]],
        ["standard member", ["numpy", "ndarray"], [1]],
        ["standard tuple", ["urllib.parse", "ParseResult"], ["too", "few"]],
        ["standard tuple", ["subprocess", "Popen"], ["true"]],
        ["standard tuple", ["builtins", "tuple"], [1]],
        ["pattern", 0, [["no text"]]],
        ["pattern", -1, ["a"]],
        ["pattern", 0, ["("]],
    ],
    ids=str,
)
def test_other_classes_and_values_are_refused(node: list):
    with pytest.raises(ForbiddenResult):
        decode(frame.pack([0], [node], ()))


def test_who_listens_stays_with_the_program():
    registry = CallbackRegistry(signals=["changed"])
    registry.connect("changed", print)
    read = decode(encode(registry))
    assert (read._signals, read.callbacks) == (["changed"], {})
