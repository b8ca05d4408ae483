"""Processes that read recordings, so that every core has work while one process writes."""

import gc
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Self

from recorder.index.reading import Done, Message, Task, read_recording

_BATCH_TASKS = 32
_BATCH_BYTES = 1024 * 1024
_SEND_BYTES = 256 * 1024
_GARBAGE_THRESHOLD = 50_000
"""Objects between two collections: a recording makes few cycles and many objects."""


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    connection: Connection
    tasks: deque[Task] = field(default_factory=deque)
    """What it was given and has not finished."""


class Pool:
    """Reads recordings in `jobs` processes, or in this one if that is one."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.connection.close()
        for worker in self._workers:
            worker.process.terminate()
            worker.process.join()
            worker.process.close()
        self._workers.clear()

    def read(self, tasks: Iterable[Task]) -> Iterator[Message]:
        """The messages of all tasks, those of one recording in order. Tasks are taken as they are needed."""
        waiting = iter(tasks)
        if self._jobs == 1:
            for task in waiting:
                yield from read_recording(task)
            return
        left: deque[Task] = deque()
        while True:
            self._give_out(waiting, left)
            busy = {worker.connection: worker for worker in self._workers if worker.tasks}
            if not busy:
                return
            for connection in wait(list(busy)):
                yield from self._receive(busy[connection], left)  # type: ignore[index]

    def _give_out(self, waiting: Iterator[Task], left: deque[Task]) -> None:
        idle = [worker for worker in self._workers if not worker.tasks]
        while idle or len(self._workers) < self._jobs:
            batch = _batch(waiting, left)
            if not batch:
                return
            worker = idle.pop() if idle else self._start()
            worker.tasks.extend(batch)
            worker.connection.send(batch)

    def _receive(self, worker: _Worker, left: deque[Task]) -> Iterator[Message]:
        try:
            messages: list[Message] = worker.connection.recv()
        except (EOFError, OSError):
            yield self._bury(worker, left)
            return
        for message in messages:
            if isinstance(message, Done):
                worker.tasks.popleft()
            yield message

    def _bury(self, worker: _Worker, left: deque[Task]) -> Done:
        """A reader has died, as far as anyone can tell of the recording it was at."""
        worker.connection.close()
        worker.process.join()
        worker.process.close()
        self._workers.remove(worker)
        culprit = worker.tasks.popleft()
        left.extend(worker.tasks)
        return Done(culprit.session.id, 0.0, 0.0, 0, None, "the process that read it ended unexpectedly")

    def _start(self) -> _Worker:
        context = get_context("fork")
        ours, theirs = context.Pipe()
        others = [ours, *(worker.connection for worker in self._workers)]
        process = context.Process(target=_work, args=(theirs, others), daemon=True)
        process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker


def _batch(waiting: Iterator[Task], left: deque[Task]) -> list[Task]:
    batch: list[Task] = []
    size = 0
    while len(batch) < _BATCH_TASKS and size < _BATCH_BYTES:
        task = left.popleft() if left else next(waiting, None)
        if task is None:
            break
        batch.append(task)
        size += task.size
    return batch


def _work(connection: Connection, others: Iterable[Connection]) -> None:
    """What a reader does until nobody wants anything of it any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the writer says when it is over
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for other in others:
        other.close()
    gc.freeze()
    gc.set_threshold(_GARBAGE_THRESHOLD)
    try:
        while True:
            for task in connection.recv():
                _send(connection, read_recording(task))
    except (EOFError, OSError):
        os._exit(0)


def _send(connection: Connection, messages: Iterable[Message]) -> None:
    pending: list[Message] = []
    size = 0
    for message in messages:
        pending.append(message)
        size += message.size
        if size > _SEND_BYTES:
            connection.send(pending)
            pending, size = [], 0
    if pending:
        connection.send(pending)
