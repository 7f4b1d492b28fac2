"""A model behind an OpenAI-compatible endpoint, by the `openai` client: keys, retries, and errors in plain words."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from workbench.errors import GeneratorError

__all__ = ["Endpoint", "shown_url"]

DEFAULT_URL = "https://api.openai.com/v1"


class Endpoint:
    """A model behind an endpoint that speaks OpenAI's API: OpenAI's own, vLLM, `transformers serve`, ...

    `OPENAI_API_KEY` and, for another endpoint than OpenAI's, `OPENAI_BASE_URL` come from the environment. The key
    is never stored here, logged, or shown in an error. Requests that fail for a while (408, 409, 429, 5xx,
    timeouts, broken connections) are sent again, after waits that double. Threads may share it.

    Args:
        model: The model's name at the endpoint.
        retries: Times a request is sent again.
        timeout_s: Longest wait for one answer, in seconds.

    Raises:
        GeneratorError: There is no key.
    """

    def __init__(self, model: str, *, retries: int = 6, timeout_s: float = 120.0) -> None:
        import openai

        self.model, self.retries, self.timeout_s = model, retries, timeout_s
        self._client = openai.OpenAI(api_key=key(), max_retries=retries, timeout=timeout_s)

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def chat(self, messages: Sequence[dict[str, str]], **options: Any) -> str | None:
        """Ask `/chat/completions`.

        Args:
            messages: `role` and `content` of each turn.
            options: What the API takes besides, such as `temperature`, `max_tokens`, `seed`.

        Returns:
            What the model says; None where it refuses to speak or calls a tool.

        Raises:
            GeneratorError: The key or the model is refused, or the endpoint cannot be reached or gives no answer.
        """
        reply = self._send(
            "chat", self._client.chat.completions.create, {"messages": list(messages), **options}
        )
        return _text(reply, lambda choice: choice.message.content)

    def complete(self, prompt: str, **options: Any) -> str | None:
        """Ask `/completions` to continue a prompt; `suffix` is an option. As `chat` else."""
        reply = self._send("completion", self._client.completions.create, {"prompt": prompt, **options})
        return _text(reply, lambda choice: choice.text)

    def _send(self, style: str, send: Callable[..., Any], options: dict[str, Any]) -> Any:
        """Send one request; raise what goes wrong in the project's words."""
        import openai

        options = {"model": self.model, **options}
        try:
            try:
                return send(**options)
            except openai.BadRequestError as error:
                if "max_completion_tokens" not in str(error) or "max_tokens" not in options:
                    raise
                # OpenAI's newer models know the limit by this name only, other endpoints by the old one.
                limit = options.pop("max_tokens")
                return send(max_completion_tokens=limit, **options)
        except openai.OpenAIError as error:
            raise self._plain(error, style) from None  # the chain may quote the key that the endpoint saw
        except (json.JSONDecodeError, UnicodeDecodeError):  # a body that is not the JSON its header claims
            raise _no_completion() from None

    def _plain(self, error: Any, style: str) -> GeneratorError:
        """Say in the user's words what an error of the client means, without the key."""
        import openai

        url, status = shown_url(), getattr(error, "status_code", None)
        response = getattr(error, "response", None)
        said = response.text if response is not None and response.text.strip() else str(error)
        said = " ".join(said.replace(key(), "***").split())[:300]
        if isinstance(error, openai.APITimeoutError):
            got, fix = f"no answer from {url} within {self.timeout_s:g} s", "set a larger timeout_s"
        elif isinstance(error, openai.APIConnectionError):
            got, fix = f"{url} cannot be reached", "see OPENAI_BASE_URL, and that the server runs"
        elif isinstance(error, (openai.AuthenticationError, openai.PermissionDeniedError)):
            got, fix = f"{url} refuses the key: {said}", "set OPENAI_API_KEY to a key that may use this model"
        elif isinstance(error, openai.NotFoundError):
            got = f"{url} has no model {self.model!r}, or not for {style}: {said}"
            fix = f"name a model that GET {url}/models lists, or ask it in another style"
        elif isinstance(error, openai.RateLimitError):
            got, fix = (
                f"{url} still refuses after {self.retries} retries: {said}",
                "set a smaller concurrency",
            )
        elif isinstance(error, openai.InternalServerError):
            got, fix = f"{url} still fails ({status}) after {self.retries} retries: {said}", "try again later"
        else:
            got, fix = f"{url} refuses the request: {said}", "change the settings that it names"
        return GeneratorError(got, f"an endpoint that answers as {self.model!r}", fix)


def key() -> str:
    """Return the endpoint's key.

    Raises:
        GeneratorError: There is none.
    """
    found = os.environ.get("OPENAI_API_KEY", "").strip()
    if not found:
        raise GeneratorError(
            got="no OPENAI_API_KEY in the environment",
            needed="the key of the endpoint",
            fix="export OPENAI_API_KEY=...; any word will do for a local server that asks for none",
        )
    return found


def shown_url() -> str:
    """Return the endpoint's address, without a user name and password that may be in it."""
    parts = urlsplit(os.environ.get("OPENAI_BASE_URL") or DEFAULT_URL)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl().rstrip("/")


def _text(reply: Any, read: Callable[[Any], Any]) -> str | None:
    """Return the text of a reply's first choice."""
    try:
        text = read(reply.choices[0])
    except (AttributeError, IndexError, TypeError):
        raise _no_completion() from None
    return text if isinstance(text, str) else None


def _no_completion() -> GeneratorError:
    return GeneratorError(
        got=f"{shown_url()} answered with something that is no completion",
        needed="an OpenAI-compatible endpoint",
        fix="see OPENAI_BASE_URL; it usually ends in /v1",
    )
