"""Hours by hand: arithmetic of passes, and the weights that are read for each token that is written."""

import pytest

from workbench.models import ModelSettings
from workbench.models.size import ModelSize
from workbench.runs.needs import Found, HoursNeed, Work, work

SIZE = ModelSize(parameters=10**9, linear=10**9, layers=10, width=1000, vocabulary=1000)
SPEED = 1e12, 1e11
"""Operations, and bytes, a second."""


@pytest.mark.parametrize(
    ("done", "seconds"),
    [
        ({"trained": 3.5e6}, 6 * 3.5e15 / 0.35e12),
        ({"trained": 3.5e6, "cost": 4.0}, 4 * 3.5e15 / 0.35e12),
        ({"read": 3.5e6}, 2 * 3.5e15 / 0.35e12),
        # 100 steps of 10 texts: each reads 4 GB of weights, at 100 GB a second, and takes 0.02 s beside it
        ({"written": 1000.0, "rows": 10}, 2 * 1e12 / 0.35e12 + 100 * (0.04 + 0.02)),
    ],
)
def test_hours_by_hand(done, seconds):
    assert work._hours(Work("x", ModelSettings("m"), **done), SIZE, SPEED, 4) * 3600 == pytest.approx(seconds)


def test_parts_are_added_and_what_has_no_size_is_named(monkeypatch):
    monkeypatch.setattr(work, "model_size", lambda model: SIZE if model.name == "known" else None)
    monkeypatch.setattr(work, "_measured", lambda device: SPEED)
    known, unknown = (ModelSettings(name, device="cpu") for name in ("known", "nobody/knows"))
    need = HoursNeed((Work("training", known, trained=2.1e8), Work("judging", unknown, read=1.0)), "cpu")
    found = need.check()
    assert isinstance(found, Found) and found.detail.startswith(
        "about 42 days on this machine (training 42 days)"
    )
    assert "nobody/knows" in found.detail and "A100" in found.detail
