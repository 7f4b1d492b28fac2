"""Ask an endpoint many questions, a few at a time, and hand each reply on as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from workbench.generators.endpoint import Endpoint
from workbench.generators.reply import Reply

__all__ = ["replies"]

Question = TypeVar("Question")


def replies(
    endpoint: Endpoint,
    ask: Callable[[Question], Reply],
    questions: Iterable[Question],
    *,
    concurrency: int,
) -> Iterator[tuple[Question, Reply]]:
    """Yield each question with its reply, as replies come.

    Where one question ends in an error no further ones are asked, and what is under way is waited for: it is paid.
    The error comes last.

    Args:
        endpoint: Whom `ask` asks. It is closed in the end.
        ask: Asks one question, in a thread.
        questions: Taken one by one, as there is room.
        concurrency: Requests under way at once.
    """
    left, waiting = iter(questions), dict[Future[Reply], Question]()
    failed: BaseException | None = None
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="endpoint")
    try:
        while True:
            while failed is None and len(waiting) < 2 * concurrency:  # a slow one does not idle the others
                try:
                    question = next(left)
                except StopIteration:
                    break
                waiting[pool.submit(ask, question)] = question
            if not waiting:
                break
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                question, error = waiting.pop(future), future.exception()
                if error is None:
                    yield question, future.result()
                elif failed is None:
                    failed = error
                    endpoint.give_up()
                    waiting = {
                        one: asked for one, asked in waiting.items() if one in done or not one.cancel()
                    }
    finally:  # also where the caller stops early: nobody waits for requests whose answers are not wanted
        for future in waiting:
            future.cancel()
        endpoint.close()
        pool.shutdown(wait=False, cancel_futures=True)
    if failed is not None:
        raise failed
