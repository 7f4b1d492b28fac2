"""How a prompt for the pocket code model reads: documents, working calls, the last attempt, the task."""

from __future__ import annotations

__all__ = ["attempt", "document", "example", "question"]


def document(text: str) -> str:
    """Return the line of a document, such as `reverse the order: zumi`."""
    return f"{text}\n"


def example(description: str, line: str) -> str:
    """Return the line of a call that worked, with what its function's document says."""
    return f"{description}: {line}\n"


def attempt(program: str, error: str) -> str:
    """Return the lines of the last program, and of what it raised."""
    return f"tried\n{program}\nerror {error}\n"


def question(text: str) -> str:
    """Return the line of the task; the code comes next."""
    return f"task {text}\n"
