"""Hours by hand: arithmetic of passes, and the weights that are read for each token that is written."""

import pytest
import torch

from workbench.core.processor import cores
from workbench.models import ModelSettings
from workbench.models.size import ModelSize
from workbench.runs.needs import Found, HoursNeed, Work, work

SIZE = ModelSize(parameters=10**9, linear=8 * 10**8, layers=10, width=1000, vocabulary=1000)
SPEED = work.Speed(operations=1e12, moved=1e11, weight=4)


@pytest.mark.parametrize(
    ("done", "seconds"),
    [
        ({"trained": 3.5e6}, 6 * 3.5e15 / 1e12),
        ({"trained": 3.5e6, "adapters": True}, 4 * 3.5e15 / 1e12),
        # layers below all adapters are computed once for two passes
        ({"trained": 3.5e6, "adapters": True, "last_layers": 2}, (0.2 * 4 + 0.8 * 1) * 3.5e15 / 1e12),
        ({"read": 3.5e6}, 2 * 0.8 * 3.5e15 / 1e12),
        # 100 steps of 10 texts: each reads 4 GB of weights, at 100 GB a second, and takes 0.02 s beside it
        ({"written": 1000.0, "rows": 10}, 2 * 1e12 / 1e12 + 100 * (0.04 + 0.02)),
    ],
)
def test_hours_by_hand(done, seconds):
    hours = work._hours(Work("x", ModelSettings("m"), **done), SIZE, SPEED)
    assert hours * 3600 == pytest.approx(seconds)


def test_a_speed_is_that_of_all_cores_in_the_models_number_type(monkeypatch):
    threads = torch.get_num_threads()
    work._measured.cache_clear()
    one = work._measured("cpu", torch.float32)
    assert torch.get_num_threads() == threads
    assert (one.weight, work._measured("cpu", torch.bfloat16).weight) == (4, 2)
    monkeypatch.setattr(work, "cores", lambda: 1000 * cores())
    work._measured.cache_clear()
    more = work._measured("cpu", torch.float32)
    work._measured.cache_clear()
    assert more.operations > 10 * one.operations and more.moved > 10 * one.moved


def test_parts_are_added_and_what_has_no_size_is_named(monkeypatch):
    monkeypatch.setattr(work, "model_size", lambda model: SIZE if model.name == "known" else None)
    monkeypatch.setattr(work, "_measured", lambda device, kind: SPEED)
    known, unknown = (ModelSettings(name, device="cpu") for name in ("known", "nobody/knows"))
    need = HoursNeed((Work("training", known, trained=2.1e8), Work("judging", unknown, read=1.0)), "cpu")
    found = need.check()
    assert isinstance(found, Found) and found.detail.startswith(
        "about 15 days on this machine (training 15 days)"
    )
    assert "nobody/knows" in found.detail and "A100" in found.detail
