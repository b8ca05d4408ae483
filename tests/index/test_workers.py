"""Reading recordings in several processes."""

import os
import signal

import pytest

from recorder.index.reading import Done, Part, Task, read_recording
from recorder.index.sessions import SessionLog, file_state
from recorder.index.workers import Pool
from recorder.store.layout import Store
from tests.index.recorded import record


def _tasks(store: Store) -> list[Task]:
    sessions = [session for session in SessionLog(store).read() if session.path is not None]
    found = [(session, session.path, file_state(session.path)) for session in sessions]
    return [Task(session, path, state.size, True) for session, path, state in found if path and state]


@pytest.fixture
def tasks(store: Store) -> list[Task]:
    for name in "abcde":
        record(store, [(f"echo {name}", f"{name}\r\n")])
    return _tasks(store)


@pytest.mark.parametrize("jobs", [1, 2, 7])
def test_every_recording_is_read_once(tasks: list[Task], jobs: int) -> None:
    with Pool(jobs) as pool:
        messages = list(pool.read(iter(tasks)))
    done = [message.id for message in messages if isinstance(message, Done)]
    assert sorted(done) == sorted(task.session.id for task in tasks)
    commands = [row.text for part in messages if isinstance(part, Part) for row in part.extracted.commands]
    assert sorted(commands) == [f"echo {name}" for name in "abcde"]


def test_a_reader_that_dies_costs_one_recording(tasks: list[Task], monkeypatch: pytest.MonkeyPatch) -> None:
    deadly = tasks[1].session.id

    def dies(task: Task) -> object:
        if task.session.id == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return read_recording(task)

    monkeypatch.setattr("recorder.index.workers.read_recording", dies)
    with Pool(2) as pool:
        messages = list(pool.read(iter(tasks)))
    done = {message.id: message.broken for message in messages if isinstance(message, Done)}
    assert done.pop(deadly) == "the process that read it ended unexpectedly"
    assert list(done.values()) == [None] * 4
