"""Remember what a reward gave: the same response is scored once, in this run and in the next."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

from workbench.core.errors import DataError, SettingsError
from workbench.rewards.spans import Reward, Sample, Span

__all__ = ["Cached"]


class Cached:
    """A reward that asks another one only for what it does not know yet.

    A file keeps what was scored, appended as it comes: a run that was killed goes on where it was. A line that a kill
    cut off is scored again.

    Args:
        reward: The one that scores.
        size: Responses kept in memory, the longest unused dropped first.
        path: A JSON-lines file; None keeps nothing beyond this process.
        version: What the file's scores depend on besides the texts, such as the model's name and its settings.

    Raises:
        SettingsError: The size is not above 0.
        DataError: The file was made by another reward or version, or cannot be read or written.
    """

    def __init__(
        self, reward: Reward, *, size: int = 100_000, path: str | Path | None = None, version: str = ""
    ) -> None:
        if size < 1:
            raise SettingsError(f"size {size}", "at least 1", "correct it")
        self.reward, self.size, self.path = reward, size, None if path is None else Path(path)
        self.name = reward.name
        self.asked = 0
        """Samples that the reward itself was asked for."""
        self._known: OrderedDict[str, list[Span]] = OrderedDict()
        self._head = {"reward": reward.name, "version": version}
        if self.path is not None:
            self._read(self.path)

    def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
        """Return the spans of each sample; those of equal samples are scored once."""
        keys = [_key(sample) for sample in samples]
        new = {key: sample for key, sample in zip(keys, samples, strict=True) if key not in self._known}
        scored = dict(zip(new, self.reward(list(new.values())), strict=True)) if new else {}
        self.asked += len(new)
        found = [list(scored[key] if key in scored else self._known[key]) for key in keys]
        if self.path is not None and scored:
            self._write(self.path, scored)
        for key, spans in zip(keys, found, strict=True):
            self._known[key] = spans
            self._known.move_to_end(key)
        while len(self._known) > self.size:
            self._known.popitem(last=False)
        return [list(spans) for spans in found]

    def _read(self, path: Path) -> None:
        try:
            lines = path.read_bytes().split(b"\n") if path.exists() else []
        except OSError as error:
            raise _unusable(path, error) from error
        if not any(lines):
            return
        if len(lines) == 1 and _parsed(lines[0]) is None:  # killed in its first line
            path.write_bytes(b"")
            return
        if _parsed(lines[0]) != self._head:
            raise DataError(
                got=f"{path}, made for {lines[0][:200].decode(errors='replace')}",
                needed=f"scores of {json.dumps(self._head)}",
                fix="name another file: other rewards, models and settings give other scores",
            )
        for line in lines[1:]:
            row = _parsed(line)
            if isinstance(row, list) and len(row) == 2:
                self._known[row[0]] = [Span(*span) for span in row[1]]
        while len(self._known) > self.size:
            self._known.popitem(last=False)

    def _write(self, path: Path, scored: dict[str, list[Span]]) -> None:
        rows = [json.dumps([key, [astuple(span) for span in spans]]) for key, spans in scored.items()]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            empty = not path.exists() or path.stat().st_size == 0
            # begins with a line's end: one that a kill cut off stays alone
            text = (json.dumps(self._head) if empty else "") + "\n" + "\n".join(rows)
            with path.open("ab") as file:
                file.write(text.encode())
        except OSError as error:
            raise _unusable(path, error) from error


def _key(sample: Sample) -> str:
    """Return a digest of a sample."""
    plain = [sample.prompt, sample.response, sorted(sample.metadata.items())]
    return hashlib.sha256(json.dumps(plain, default=str).encode()).hexdigest()


def _parsed(line: bytes) -> object:
    """Return a line's value; None for one that was cut off."""
    try:
        return json.loads(line)
    except ValueError:
        return None


def _unusable(path: Path, error: OSError) -> DataError:
    return DataError(
        f"{path}: {error.strerror}",
        "a file that can be read and written",
        "see its permissions, or name another",
    )
