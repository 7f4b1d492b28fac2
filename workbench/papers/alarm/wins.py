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
    outcomes: Sequence[PolicyOutcome], judge: str, folder: Any = None, device: str = "auto"
) -> pd.DataFrame:
    """Return win rates as a table: columns `arm`, `against`, `rate`, `low`, `high`, `ties`, `refused`, `seeds`.

    Args:
        outcomes: One of each arm and seed.
        judge: `holistic`, `oracle` or another score's name; anything else as `make_judge` takes it.
        folder: Where an endpoint's replies are kept as they come.
        device: Of a judge that is a reward model.
    """
    import pandas as pd

    known = judge in outcomes[0].sampled.scores
    if not known:
        from workbench.rewards.judge_by_name import make_judge

        path = None if folder is None else folder / "replies.jsonl"
        # a question, or a sentence, stands at the beginning of these prompts
        asked: Any = make_judge(judge, device=device, path=path, cut="end")
    cells: list[WinCell] = win_matrix(outcomes, judge if known else asked)
    frame = pd.DataFrame(cells, columns=WinCell._fields).rename(columns={"other": "against"})
    return frame[["arm", "against", "rate", "low", "high", "ties", "comparisons", "refused", "seeds"]]
