"""The one door to the Hugging Face Hub: fetch a split or a file, and say plainly what to do when that fails.

`HF_ENDPOINT`, `HF_HOME`, `HF_TOKEN` and `HF_HUB_OFFLINE` are honoured, as Hugging Face's libraries do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.errors import DataError

if TYPE_CHECKING:
    import datasets

__all__ = ["fetch_file", "load_split"]


# Two faults have no class of their own by the time they reach us, only a text.
_TOLD_BY_TEXT = {"Consistency check failed": "ConsistencyCheckFailed", "is a gated dataset": "GatedRepoError"}


@dataclass(frozen=True)
class _Meaning:
    """What some of the libraries' errors mean to a user; the texts take `name`, `what`, `page` and `why`."""

    kinds: frozenset[str]
    """Names of classes, bases included. Names, since which HTTP library is there depends on the version."""
    got: str
    needed: str
    fix: str


def _meanings() -> list[_Meaning]:
    """Return the known meanings; the first that fits counts, as one error often comes of another."""
    return [
        _Meaning(
            frozenset({"GatedRepoError"}),
            "{name} is gated: the Hub gives it only to accounts that accepted its terms",
            "an account's token of somebody who accepted them",
            "accept the terms at {page}, then run `hf auth login` (or set HF_TOKEN)",
        ),
        _Meaning(
            frozenset(
                {
                    "RepositoryNotFoundError",
                    "RevisionNotFoundError",
                    "DatasetNotFoundError",
                    "HFValidationError",
                }
            ),
            "no dataset {name} on the Hub, or it is private",
            "the name of a dataset that you may read",
            "see {page}; for a private one run `hf auth login` (or set HF_TOKEN)",
        ),
        _Meaning(
            frozenset({"RemoteProtocolError", "ReadError", "ConnectionResetError", "ConsistencyCheckFailed"}),
            "the download of {name} ({what}) was cut off midway",
            "the complete file",
            "run the same command again; where that keeps happening, try another network",
        ),
        _Meaning(
            frozenset(
                {
                    "LocalEntryNotFoundError",
                    "ConnectionError",
                    "ConnectError",
                    "ProxyError",
                    "TimeoutException",
                }
            ),
            "the Hub cannot be reached for {name}: {why}",
            "a network connection, or the dataset in the local cache",
            "see that {page} opens and that HF_HUB_OFFLINE is not set, or give a local file instead",
        ),
        _Meaning(
            frozenset({"EntryNotFoundError", "DataFilesNotFoundError", "EmptyDatasetError"}),
            "{name} is on the Hub but has no {what}",
            "a file that it holds",
            "see {page}/tree/main",
        ),
        _Meaning(
            frozenset({"DatasetGenerationError", "FileFormatError"}),
            "the files of {name} ({what}) cannot be read: {why}",
            "data files that `datasets.load_dataset` can read",
            "see {page}/tree/main, or clear its copy in the cache (HF_HOME) and try again",
        ),
        _Meaning(
            frozenset({"HfHubHTTPError"}),
            "the Hub failed on {name}: {why}",
            "an answer",
            "try again in a while",
        ),
        _Meaning(  # an unknown split or configuration: the message lists the known ones
            frozenset({"ValueError"}),
            "{name} ({what}): {why}",
            "a split and configuration that it has",
            "see {page}",
        ),
    ]


def load_split(
    name: str,
    split: str,
    *,
    config: str | None = None,
    revision: str | None = None,
) -> datasets.Dataset:
    """Load one split of a dataset on the Hub; from the local cache where it was downloaded before.

    Args:
        name: `owner/name` on the Hub.
        split: The split's name, such as `test`.
        config: The dataset's configuration (subset), where it has several.
        revision: A commit, tag or branch; the newest where None.

    Returns:
        The rows, memory-mapped.

    Raises:
        DataError: The dataset or split does not exist, needs an account's token, arrived incomplete or cannot
            be read, or the Hub cannot be reached.
    """
    import datasets

    with _plain_errors(name, split):
        return datasets.load_dataset(name, config, split=split, revision=revision)


def fetch_file(name: str, filename: str, *, revision: str | None = None) -> Path:
    """Download one file of a dataset on the Hub; from the local cache where it was downloaded before.

    Args:
        name: `owner/name` on the Hub.
        filename: The file's path within the dataset, such as `Pony/Pony_docs.jsonl`.
        revision: A commit, tag or branch; the newest where None.

    Returns:
        The file in the local cache.

    Raises:
        DataError: As `load_split`.
    """
    import huggingface_hub

    with _plain_errors(name, filename):
        return Path(huggingface_hub.hf_hub_download(name, filename, repo_type="dataset", revision=revision))


@contextmanager
def _plain_errors(name: str, what: str) -> Iterator[None]:
    """Turn what Hugging Face's libraries raise into a `DataError`; let through what is not theirs."""
    try:
        yield
    except Exception as error:  # the libraries raise some twenty classes of six families
        plain = _plain(error, name, what)
        if plain is None:
            raise
        raise plain from error


def _plain(error: Exception, name: str, what: str) -> DataError | None:
    """Say in the user's words what an error of the libraries means; None where it is not known."""
    chain = list(_chain(error))
    kinds = {base.__name__ for one in chain for base in type(one).__mro__}
    for text, kind in _TOLD_BY_TEXT.items():
        if any(text in str(one) for one in chain):
            kinds.add(kind)
    words = {
        "name": name,
        "what": what,
        "page": f"{os.environ.get('HF_ENDPOINT', 'https://huggingface.co').rstrip('/')}/datasets/{name}",
        "why": (str(chain[-1]).strip() or type(chain[-1]).__name__).splitlines()[0],
    }
    for meaning in _meanings():
        if kinds & meaning.kinds:
            return DataError(*(text.format(**words) for text in (meaning.got, meaning.needed, meaning.fix)))
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it came from, outermost first."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__
