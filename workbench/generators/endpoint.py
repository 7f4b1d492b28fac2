"""A model behind an OpenAI-compatible endpoint, by the `openai` client: keys, retries, and errors in plain words."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

from workbench.core.errors import GeneratorError
from workbench.generators.address import Address, environment_address
from workbench.generators.answer import NO_ANSWER
from workbench.generators.manners import Learned
from workbench.generators.reply import Failure, Reply, read_failure, read_reply
from workbench.store.secrets import hide

__all__ = ["Endpoint"]

PATIENCE = 4
"""Refused prompts in a row after which the endpoint itself is doubted."""
_PROBES: dict[str, dict[str, Any]] = {
    "chat": {"messages": [{"role": "user", "content": "Reply with the word yes."}]},
    "completion": {"prompt": "1, 2, 3,"},
}


class Endpoint:
    """A model behind an endpoint that speaks OpenAI's API: OpenAI's own, vLLM, `transformers serve`, ...

    Its key is never logged, or shown in an error. Requests that fail for a while (408, 409, 429, 5xx, timeouts,
    broken connections, an error inside a 200, half a reply) are sent again, after waits that double. Threads may
    share it.

    What then still fails, or is refused, is the prompt's own failure where the endpoint answers other prompts: a
    `Reply` without an answer. Where it answers none (a wrong key, an unknown model, settings that it refuses) there
    is an error. In doubt it is asked for a single word.

    Args:
        model: The model's name at the endpoint.
        retries: Times a request is sent again.
        timeout_s: Longest wait for one answer, in seconds, be it silent or dripping.
        learned: What earlier ones found out about the same model: parameters that the endpoint refuses are left out.
        address: Where it is; by default as the environment says: `OPENAI_API_KEY` and, for another endpoint than
            OpenAI's, `OPENAI_BASE_URL`.
        runs: Whether it is worth another try; asked after each failure.

    Raises:
        GeneratorError: There is no key.
    """

    def __init__(
        self,
        model: str,
        *,
        retries: int = 6,
        timeout_s: float = 120.0,
        learned: Learned | None = None,
        address: Address | None = None,
        runs: Callable[[], bool] = lambda: True,
    ) -> None:
        import openai

        from workbench.generators.deadline import client_with_deadline

        self.model, self.retries, self.timeout_s = model, retries, timeout_s
        self._address, self._runs = address or environment_address(), runs
        self._client = openai.OpenAI(
            base_url=self._address.url,
            api_key=self._address.key,
            max_retries=0,
            timeout=timeout_s,
            http_client=client_with_deadline(timeout_s, proxies=not self._address.is_local),
        )
        self._learned = learned or Learned()
        self._given_up = threading.Event()
        self._doubting = threading.Lock()
        self._answered, self._refused = False, 0

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self.give_up()
        self._client.close()

    @property
    def shown(self) -> str:
        """Its address, as it may be shown."""
        return self._address.shown

    def give_up(self) -> None:
        """Send nothing again from here on: what is under way is the last."""
        self._given_up.set()

    def chat(self, messages: Sequence[dict[str, str]], **options: Any) -> Reply:
        """Ask `/chat/completions`.

        Args:
            messages: `role` and `content` of each turn.
            options: What the API takes besides, such as `temperature`, `max_tokens`, `seed`; with `n` the reply's
                further samples are `Reply.others`: none where the endpoint does not take `n`.

        Returns:
            What the model says. There is no text where it refuses to speak or calls a tool, nor where the endpoint
            refuses this prompt.

        Raises:
            GeneratorError: The key or the model is refused, or the endpoint cannot be reached or answers nothing.
        """
        return self._reply("chat", {"messages": list(messages)}, options)

    def complete(self, prompt: str, **options: Any) -> Reply:
        """Ask `/completions` to continue a prompt; `suffix` is an option. As `chat` else."""
        return self._reply("completion", {"prompt": prompt}, options)

    def _reply(self, style: str, content: dict[str, Any], options: dict[str, Any]) -> Reply:
        """Ask, and tell a prompt that fails by itself from an endpoint that fails."""
        outcome = self._adapted(style, {**content, **options})
        if isinstance(outcome, Reply):
            self._answered, self._refused = True, 0
            return outcome
        if outcome.concerns_the_run or not self._answers_others(style, outcome, options):
            raise self._plain(outcome, style) from None  # the chain may quote the key that the endpoint saw
        return Reply("", NO_ANSWER, self._shown(outcome.said))

    def _answers_others(self, style: str, failure: Failure, options: dict[str, Any]) -> bool:
        """Tell whether the endpoint answers, after a request that brought nothing."""
        if failure.passes and not self._answered:
            return False
        with self._doubting:
            self._refused += 1
            if self._answered and not failure.passes and self._refused <= PATIENCE:
                return True
            if self._given_up.is_set():
                return False
            probe = {name: value for name, value in options.items() if name not in ("suffix", "n")}
            if isinstance(self._adapted(style, {**_PROBES[style], **probe}), Failure):
                self.give_up()
                return False
            self._answered, self._refused = True, 0
            return True

    def _adapted(self, style: str, request: Mapping[str, Any]) -> Reply | Failure:
        """Send a request in the endpoint's manners; learn others where it names what it refuses."""
        known = manners = self._learned.manners
        outcome = self._sent(style, manners.applied(request))
        while isinstance(outcome, Failure) and outcome.names_settings:
            other = manners.adapted(outcome.said, request)
            if other is None:
                break
            manners = other
            outcome = self._sent(style, manners.applied(request))
        if isinstance(outcome, Failure):
            return outcome
        if manners != known:
            self._learned.add(manners, f"{self._address.shown}, {self.model}")
        return outcome.cut(request.get("stop", ()) if "stop" in manners.left_out else ())

    def _sent(self, style: str, request: dict[str, Any]) -> Reply | Failure:
        """Send a request until it is answered, or fails for good."""
        for number in range(self.retries + 1):
            outcome = self._once(style, request)
            if isinstance(outcome, Reply) or not outcome.passes or number == self.retries or not self._runs():
                break
            doubled_s = min(0.5 * 2**number, 8.0) * random.uniform(0.75, 1.0)
            if self._given_up.wait(doubled_s if outcome.wait_s is None else outcome.wait_s):
                break
        return outcome

    def _once(self, style: str, request: dict[str, Any]) -> Reply | Failure:
        """Send one request."""
        import openai

        from workbench.generators.deadline import kept_coming

        send: Callable[..., Any]
        if style == "chat":
            send, read = self._client.chat.completions.create, _message
        else:
            send, read = self._client.completions.create, _continuation
        try:
            return read_reply(send(model=self.model, **request), read)
        except openai.APIConnectionError as error:  # a timeout is one
            return read_failure(error, again=not kept_coming(error))
        except (openai.OpenAIError, json.JSONDecodeError, UnicodeDecodeError) as error:
            return read_failure(error, again=False)

    def _shown(self, said: str) -> str:
        """Return what the endpoint said in one line, without the key; of an error object its message."""
        try:
            message = json.loads(said)["error"]["message"]
        except (ValueError, LookupError, TypeError):
            message = said
        return " ".join(hide(str(message), self._address.key).split())[:300]

    def _plain(self, failure: Failure, style: str) -> GeneratorError:
        """Say in the user's words what a failure means, without the key."""
        import openai

        url, error, status = self._address.shown, failure.error, failure.status
        said = self._shown(failure.said)
        if error is None and status is None:
            return GeneratorError(
                got=f"{url} answered with {said}",
                needed="an OpenAI-compatible endpoint",
                fix="see OPENAI_BASE_URL; it usually ends in /v1",
            )
        if isinstance(error, openai.APITimeoutError):
            got, fix = f"no answer from {url} within {self.timeout_s:g} s", "set a larger timeout_s"
        elif isinstance(error, openai.APIConnectionError):
            got, fix = f"{url} cannot be reached", "see OPENAI_BASE_URL, and that the server runs"
        elif status in (401, 403):
            got, fix = f"{url} refuses the key: {said}", "set OPENAI_API_KEY to a key that may use this model"
        elif status == 404:
            got = f"{url} has no model {self.model!r}, or not for {style}: {said}"
            fix = f"name a model that GET {url}/models lists, or ask it in another style"
        elif status == 429:
            got, fix = (
                f"{url} still refuses after {self.retries} retries: {said}",
                "set a smaller concurrency",
            )
        elif status is not None and status >= 500:
            got, fix = f"{url} still fails ({status}) after {self.retries} retries: {said}", "try again later"
        else:
            got, fix = f"{url} refuses the request: {said}", "change the settings that it names"
        return GeneratorError(got, f"an endpoint that answers as {self.model!r}", fix)


def _message(choice: Any) -> Any:
    return choice.message.content


def _continuation(choice: Any) -> Any:
    return choice.text
