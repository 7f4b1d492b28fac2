"""The supervisor's own logic, without any program's process: patience, slots, reports, ends and answers."""

from __future__ import annotations

import errno
import json
import os
import struct
import time
from types import SimpleNamespace

import pytest

from workbench.sandbox.inside import channel, supervisor
from workbench.sandbox.inside.job import MAX_REPORT_BYTES, Job

LIMITS = {"memory_bytes": 1 << 30, "output_bytes": 100, "disk_bytes": 1 << 20, "processes": 4}
SETTINGS = {"limits": LIMITS, "isolated": False, "control_group": ""}
NOTHING_NEW = SimpleNamespace(unloaded=lambda names: [], unlearned=lambda names: [])


@pytest.fixture
def ends(monkeypatch):
    """Make a supervisor, the parent's end of its requests, and that of its answers."""
    library = SimpleNamespace(prctl=lambda *_: 0)  # the tests' own process adopts no orphans
    monkeypatch.setattr(supervisor.ctypes, "CDLL", lambda _: library)
    (incoming, requests), (answers, outgoing) = os.pipe(), os.pipe()
    made = supervisor.Supervisor(SETTINGS, incoming, outgoing, NOTHING_NEW, "")
    yield made, requests, answers
    made._selector.close()
    for end in (incoming, answers, outgoing):
        os.close(end)


def job_in(folder, made, *, graded=False, deadline_s=60.0):
    """Return a job under way whose report comes through a pipe, and the pipe's other end."""
    (folder / "solution").mkdir(exist_ok=True)
    now = time.monotonic()
    job = Job(7, folder, graded, False, token="mine", started=now, deadline=now + deadline_s)
    job.report_fd, writer = os.pipe()
    os.set_blocking(job.report_fd, False)
    made._selector.register(job.report_fd, 1, job)
    job.report_closed = False
    made._jobs[job.id] = job
    return job, writer


def framed(report):
    text = json.dumps(report).encode()
    return struct.pack("<Q", len(text)) + text


def test_it_waits_for_ever_only_where_nothing_is_under_way(ends, tmp_path):
    made, _, _ = ends
    assert made._patience_s() is None
    job, _ = job_in(tmp_path, made)
    job.pids = {1: "solution"}
    assert made._patience_s() == 0.05
    made._ending.append(made._jobs.pop(job.id))
    assert made._patience_s() == 0.05  # its process will be heard of
    job.pids = {}
    assert made._patience_s() == 0.002  # only orphans are left, which tell nobody
    made._graders = SimpleNamespace(has_news=True)
    assert made._patience_s() == 0


def test_a_report_and_an_end_become_an_answer(ends, tmp_path):
    made, _, answers = ends
    job, writer = job_in(tmp_path, made)
    job.pids = {11: "solution"}
    os.write(writer, framed({"modules": [], "token": "mine", "value": 3}))
    made._note_end(99, 1, 10**9)  # nobody's
    assert (job.statuses, job.peak_bytes) == ({}, 0)
    made._note_end(11, 256, 5000)
    assert (job.statuses, job.pids, job.peak_bytes) == ({"solution": 256}, {}, 5000)
    made._judge_all()
    told = channel.receive_json(answers)
    assert told["report"] == {"value": 3}
    assert (told["word"], told["scribbled"], told["statuses"]) == ("mine", False, {"solution": 256})
    assert (told["overrun"], told["trouble"], told["peak_memory_bytes"]) == ("", "", 5000)
    assert not made._jobs
    assert not made._ending
    assert job.report_closed


@pytest.mark.parametrize(("graded", "scribbled"), [(False, True), (True, False)])
def test_a_report_without_the_token_says_nothing(ends, tmp_path, graded, scribbled):
    made, _, answers = ends
    _, writer = job_in(tmp_path, made, graded=graded)
    os.write(writer, framed({"modules": [], "token": "guessed", "value": 3}))
    made._read_report(made._jobs[7])
    made._judge_all()
    told = channel.receive_json(answers)
    assert (told["report"], told["word"], told["scribbled"]) == ({}, "", scribbled)


def test_a_report_that_does_not_end_is_closed(ends, tmp_path):
    made, _, _ = ends
    job, writer = job_in(tmp_path, made)
    job.raw_report = bytearray(2 * MAX_REPORT_BYTES)
    os.write(writer, b"x")
    made._read_report(job)
    assert job.report_closed
    with pytest.raises(KeyError):
        made._selector.get_key(job.report_fd)


def test_what_is_late_is_ended_with_the_evidence_of_then(ends, tmp_path):
    made, _, answers = ends
    job, _ = job_in(tmp_path, made, graded=True, deadline_s=-1.0)
    job.pids, job.statuses = {11: "grader"}, {"solution": 0}
    made._judge_all()
    assert (made._jobs, made._ending, job.overrun) == ({}, [job], "timeout")
    made._note_end(11, 9, 0)  # by the kill
    made._judge_all()
    told = channel.receive_json(answers)
    assert (told["overrun"], told["statuses"]) == ("timeout", {"solution": 0})


def test_what_is_on_the_disk_at_the_end_counts(ends, tmp_path):
    made, _, answers = ends
    job, _ = job_in(tmp_path, made)
    job.statuses = {"solution": 0}
    (tmp_path / "stdout").write_text("x" * 101)
    made._judge_all()
    assert channel.receive_json(answers)["overrun"] == "output"


def test_a_slot_is_free_when_its_program_is_gone(ends, tmp_path, monkeypatch):
    made, requests, _ = ends
    monkeypatch.setattr(made, "_launch", lambda job: None)
    about = {"folder": str(tmp_path), "graded": False, "split": False, "timeout_s": 9, "stdin": False}

    def started(number):
        channel.send_json(requests, {"id": number, **about, "imports": []})
        assert made._accept()
        return made._jobs[number]

    first, second = started(1), started(2)
    assert (first.slot, second.slot) == (0, 1)
    made._ending.append(made._jobs.pop(1))
    assert started(3).slot == 2  # what is ending keeps its own
    made._ending.clear()
    assert started(4).slot == 0
    os.close(requests)


def test_what_the_system_refuses_is_trouble_and_no_programs_fault(ends, tmp_path, monkeypatch):
    made, requests, answers = ends

    def refused(job):
        raise OSError(errno.EAGAIN, "no more processes")

    monkeypatch.setattr(made, "_launch", refused)
    (tmp_path / "solution").mkdir()
    about = {
        "id": 1,
        "folder": str(tmp_path),
        "graded": False,
        "split": False,
        "timeout_s": 9,
        "stdin": False,
    }
    channel.send_json(requests, {**about, "imports": []})
    assert made._accept()
    made._judge_all()
    told = channel.receive_json(answers)
    assert "EAGAIN" in told["trouble"] or "no more processes" in told["trouble"]
    assert (told["overrun"], told["report"]) == ("", {})
    os.close(requests)


def test_when_the_parent_hangs_up_everything_is_killed(ends, tmp_path, monkeypatch):
    made, requests, _ = ends
    job, _ = job_in(tmp_path, made)
    killed = []
    monkeypatch.setattr(Job, "kill", lambda job: killed.append(job.id) or False)
    os.close(requests)
    made.serve()  # returns
    assert killed == [job.id]
