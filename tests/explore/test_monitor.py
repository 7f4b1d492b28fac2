"""The training monitor: curves of a log, a training in its thread, and a stop that is asked for."""

import asyncio
import base64
import json
import re
import threading

import pytest

from workbench.core.errors import DataError
from workbench.explore.curves import curves_figure, curves_picture, panels_of, read_logs
from workbench.explore.finished_trainings import curves_widget
from workbench.explore.live_training import LiveTraining, TrainingLog
from workbench.explore.training_monitor import MonitorView, watch_training
from workbench.explore.training_page import monitor_page
from workbench.training.watching import TrainingStopped

ROWS = [
    {"step": 1, "loss": 0.9, "accuracy": 0.5, "learning_rate": 1e-5, "eval_loss": 1.0},
    {"step": 2, "loss": 0.7, "accuracy": 0.75, "score_factuality": 0.1, "kl": float("nan")},
]


def test_metrics_that_belong_together_share_a_panel():
    panels = panels_of({"": ROWS})
    assert [(one.title, list(one.curves)) for one in panels] == [
        ("loss", ["loss", "loss (held out)"]), ("accuracy", ["accuracy"]), ("reward", ["factuality"]),
    ]  # fmt: skip
    assert panels[0].curves["loss"] == ([1.0, 2.0], [0.9, 0.7])


def test_of_several_trainings_each_panel_shows_one_curve_each():
    panels = panels_of({"a": ROWS, "b": [{"step": 3, "eval_loss": 0.5, "policy_loss": 0.25}]})
    assert panels[0].curves == {"a": ([1.0, 2.0], [0.9, 0.7]), "b": ([3.0], [0.25])}
    assert list(panels[1].curves) == ["a"]


def test_a_drawing_spans_its_values_and_says_the_last():
    page = curves_picture(panels_of({"": [{"step": 0, "loss": 4.0}, {"step": 10, "loss": 2.0}]}))
    assert 'alt="loss, at last: loss 2"' in page
    (data,) = re.findall(r"base64,([^\"]+)", page)
    drawing = base64.b64decode(data).decode()
    assert 'points="44.0,26.0 292.0,166.0"' in drawing  # from the upper left corner to the lower right one
    for end in (">4<", ">2<", ">0<", ">10<"):
        assert end in drawing


def test_a_figure_has_a_place_for_each_panel():
    figure = curves_figure(panels_of({"": ROWS}))
    assert len(figure.data) == 4
    assert [one.text for one in figure.layout.annotations] == ["loss", "accuracy", "reward"]


def test_a_training_has_one_place_in_the_legend():
    figure = curves_figure(panels_of({"a": ROWS, "b": ROWS}))
    assert [trace.name for trace in figure.data if trace.showlegend] == ["a", "b"]


def test_logs_are_found_where_they_are(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "training_log.jsonl").write_text(json.dumps({"step": 1, "loss": 1.0}) + "\n{cut")
    assert read_logs(tmp_path) == {"a": [{"step": 1, "loss": 1.0}], "b": [{"step": 1, "loss": 1.0}]}
    assert list(read_logs({"x": ROWS, "y": tmp_path / "a", "z": tmp_path})) == ["x", "y", "z, a", "z, b"]
    with pytest.raises(DataError, match=r"no training_log\.jsonl"):
        read_logs(tmp_path / "none")


def test_a_log_adds_steps_a_second_where_nobody_says_how_fast_it_goes():
    log = TrainingLog()
    log.started(4, 10)
    log.logged({"step": 5, "loss": 1.0})
    log.logged({"step": 6, "tokens_per_second": 10.0})
    assert log.rows[0]["steps_per_second"] > 0
    assert "steps_per_second" not in log.rows[1]
    assert (log.done, log.steps) == (6, 10)


class Training:
    """Stands for a training: steps that wait until the test lets them go."""

    def __init__(self, steps=3):
        self.steps, self.go = steps, threading.Semaphore(0)

    def __call__(self, answer, *, watcher):
        watcher.started(0, self.steps)
        for step in range(1, self.steps + 1):
            assert self.go.acquire(timeout=30)
            watcher.logged({"step": step, "loss": 1.0 / step})
            if watcher.stopping():
                raise TrainingStopped(step, self.steps, None)
        return answer


@pytest.fixture
def watched(monkeypatch):
    """Show widgets nowhere, as if in a notebook; keep the pictures that stay."""
    from workbench.explore.presence import Picture

    kept = []
    monkeypatch.setattr(Picture, "show", lambda self, picture, widget: kept.append(picture))
    monkeypatch.setattr(Picture, "update", lambda self, picture: kept.append(picture))
    monkeypatch.setattr("workbench.explore.training_monitor.is_watched", lambda: True)
    return kept


def test_a_training_runs_apart_and_gives_its_result(watched):
    function = Training()
    training = watch_training(function, 42, name="mine")
    assert training.state == "running"
    for _ in range(3):
        function.go.release()
    assert asyncio.run(_awaited(training)) == 42 == training.result()
    assert training.state == "finished"
    assert "step 3 of 3" in watched[-1] and "finished" in watched[-1] and "data:image/svg" in watched[-1]


async def _awaited(training):
    return await training


def test_the_button_stops_it_after_its_step(watched):
    function = Training(100)
    training = watch_training(function, None)
    (view,) = training.views
    function.go.release()
    view.button.click()
    assert training.state == "stopping"
    function.go.release()
    with pytest.raises(TrainingStopped):
        training.result()
    assert training.state == "stopped"
    assert "stopped after step" in watched[-1]
    assert "Stop" in view.button.description and view.button.disabled


def test_an_error_is_shown_and_raised_in_the_notebook(watched):
    def fail(*, watcher):
        raise ValueError("no such thing")

    training = watch_training(fail)
    with pytest.raises(ValueError, match="no such thing"):
        training.result()
    assert "ValueError: no such thing" in watched[-1]


def test_with_nobody_watching_it_runs_to_its_end_first(capsys):
    def train(*, watcher):
        watcher.started(0, 1)
        watcher.logged({"step": 1, "loss": 0.5})
        return "done"

    training = watch_training(train)
    assert training.state == "finished"
    assert training.result() == "done"
    assert "Training monitor: train: finished" in capsys.readouterr().out


def test_a_training_that_was_done_before_shows_the_log_it_left():
    class Done:
        log = ({"step": 1, "loss": 0.5},)

    training = watch_training(lambda watcher: Done())
    assert "loss 0.5" in monitor_page(training)


def test_a_new_metric_gets_a_panel_while_it_runs():
    training = LiveTraining("x", lambda watcher: None, (), {})
    view = MonitorView(training)
    training.log.started(0, 2)
    training.log.logged({"step": 1, "loss": 1.0})
    view._draw()
    first = view.place.children[0]
    training.log.logged({"step": 2, "loss": 0.5})
    view._draw()
    assert view.place.children[0] is first
    assert list(first.data[0].y) == [1.0, 0.5]
    training.log.logged({"step": 2, "kl": 0.1})
    view._draw()
    assert view.place.children[0] is not first


def test_a_trainer_of_transformers_is_watched_too(tmp_path):
    import torch
    from transformers import Trainer, TrainingArguments

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return {"loss": ((x - self.weight) ** 2).mean()}

    arguments = TrainingArguments(
        str(tmp_path), max_steps=3, logging_steps=1, report_to="none", use_cpu=True, save_strategy="no",
        disable_tqdm=True,
    )  # fmt: skip
    trainer = Trainer(Model(), arguments, train_dataset=[{"x": torch.ones(1)}] * 4)
    training = watch_training(trainer.train)
    assert training.result().global_step == 3
    assert [row["step"] for row in training.log.rows if "loss" in row] == [1, 2, 3]


def test_finished_trainings_are_chosen_from_a_list():
    made = curves_widget({f"t{k}": ROWS for k in range(5)})
    chosen, place = made.children
    assert chosen.value == ("t0", "t1", "t3")
    chosen.value = ("t4",)
    assert {trace.name for trace in place.children[0].data} == {
        "loss",
        "loss (held out)",
        "accuracy",
        "factuality",
    }
    chosen.value = ("t3", "t4")
    assert {trace.name for trace in place.children[0].data} == {"t3", "t4"}
    chosen.value = ()
    assert "Choose a training" in place.children[0].value
