"""Vectors of texts, each made once: in memory, and where a folder is given on disk as they come."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.errors import DataError
from workbench.retrieval.retriever import Scores

if TYPE_CHECKING:
    from workbench.retrieval.encoder import Encoder

__all__ = ["EmbeddingCache"]

_DIGEST_BYTES = 16
_AT_ONCE = 512  # texts that are encoded between two writes: a kill loses at most so many


class EmbeddingCache:
    """Wraps an encoder.

    The file holds records of one size: a digest of the text, and its vector as float32. A last record that a kill
    cut off is overwritten. Each encoder has a file of its own, named by its fingerprint.

    Args:
        encoder: Makes vectors that are not there yet.
        folder: Where the file is; None keeps vectors in memory.
    """

    def __init__(self, encoder: Encoder, folder: Path | None = None) -> None:
        self._encoder, self._known = encoder, dict[bytes, Scores]()
        self._path: Path | None = None
        if folder is not None:
            name = hashlib.sha256(encoder.fingerprint.encode()).hexdigest()[:16]
            self._path = folder / f"embeddings-{name}.bin"
            self._read(self._path)

    def encode(self, texts: Sequence[str]) -> Scores:
        """Return (texts, dimensions) float32 vectors of length 1.

        Raises:
            DataError: The file cannot be written.
        """
        from workbench.core.bars import Bar

        digests = [_digest(text) for text in texts]
        left = {key: text for key, text in zip(digests, texts, strict=True) if key not in self._known}
        waiting = list(left.items())
        few = len(waiting) <= _AT_ONCE or None  # None: the bar is hidden where stderr is no terminal
        for first in Bar(range(0, len(waiting), _AT_ONCE), desc="encoding", disable=few):
            some = waiting[first : first + _AT_ONCE]
            vectors = np.asarray(self._encoder.encode([text for _, text in some]), dtype=np.float32)
            self._keep([key for key, _ in some], vectors)
        return np.stack([self._known[key] for key in digests])

    def _keep(self, digests: Sequence[bytes], vectors: Scores) -> None:
        self._known.update(zip(digests, vectors, strict=True))
        if self._path is None:
            return
        records = b"".join(digest + vector.tobytes() for digest, vector in zip(digests, vectors, strict=True))
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            size = _DIGEST_BYTES + vectors[0].nbytes
            with self._path.open("ab") as file:
                file.truncate(file.tell() // size * size)
                file.write(records)
        except OSError as error:
            raise DataError(
                got=f"{self._path}: {error.strerror}",
                needed="a folder that can be written",
                fix="choose another folder for cache=...",
            ) from error

    def _read(self, path: Path) -> None:
        if not path.is_file():
            return
        dimensions = self._encoder.encode(["dimensions"]).shape[1]
        size = _DIGEST_BYTES + 4 * dimensions
        content = path.read_bytes()
        rows = np.frombuffer(content[: len(content) // size * size], dtype=np.uint8).reshape(-1, size)
        vectors = rows[:, _DIGEST_BYTES:].copy().view(np.float32)
        for row, vector in zip(rows[:, :_DIGEST_BYTES], vectors, strict=True):
            self._known[row.tobytes()] = vector


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()[:_DIGEST_BYTES]
