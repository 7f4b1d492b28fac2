"""Win rates of each arm's answers against another's, by a score or a judge, whose replies are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.policies.comparison import WinCell, win_matrix
from workbench.policies.outcomes import PolicyOutcome

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["win_frame"]


def win_frame(
    outcomes: Sequence[PolicyOutcome],
    judge: str,
    folder: Any = None,
    *,
    device: str = "auto",
    decoding: str = "sampled",
    question: str = "",
) -> pd.DataFrame:
    """Return win rates as a table.

    Args:
        outcomes: One of each arm and seed.
        judge: `holistic`, `oracle` or another score's name; anything else as `make_judge` takes it.
        folder: Where an endpoint's replies are kept as they come.
        device: Of a judge that is a reward model.
        decoding: Which answers meet, one of `DECODINGS`.
        question: A file with a judge's question; empty: ours. See `question_template`.

    Returns:
        Columns `arm`, `against`, `rate` with `low` and `high` (ties counted half), `wins / decided` (without ties, as
        ALaRM's release counts), `ties`, `comparisons`, `refused`, `seeds`.
    """
    import pandas as pd

    known = judge in outcomes[0].sampled.scores
    if not known:
        from workbench.rewards.judge_by_name import make_judge

        path = None if folder is None else folder / "replies.jsonl"
        # a question, or a sentence, stands at the beginning of these prompts
        asked: Any = make_judge(judge, device=device, path=path, cut="end", question=question)
    cells: list[WinCell] = win_matrix(outcomes, judge if known else asked, decoding=decoding)
    names = {"other": "against", "decided": "wins / decided"}
    frame = pd.DataFrame(cells, columns=WinCell._fields).rename(columns=names)
    first = ["arm", "against", "rate", "low", "high", "wins / decided"]
    return frame[[*first, "ties", "comparisons", "refused", "seeds"]]
