"""Many recordings to lessons, over the cores of this machine or a cluster: the one door to Ray."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from roomread.app.analyze import AnalyzeSettings
from roomread.app.joining import Order, Outcome, Run, Standing
from roomread.app.names import check_name
from roomread.app.observing import Observer
from roomread.app.panel import mapping_of
from roomread.app.sources import Entry, find_entries
from roomread.errors import MissingExtraError, RoomreadError, SettingsError, SourceError
from roomread.review.partitions import Partitions
from roomread.store.lessons import LessonStore
from roomread.store.privacy import check_purpose, open_gate
from roomread.store.upkeep import tidy

PIECE = 300.0  # seconds; a worker's start and the seam cost little beside it, and a killed worker loses no more
KEPT = 2**28  # bytes that Ray keeps of results in this machine's memory; those of a piece are a few millions
PATIENCE = 10.0  # seconds until a cluster that does not answer is none
QUIET = {  # nothing is sent anywhere, nothing written over the progress
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".*",  # of what it prints of workers that died; our notes and our table say so
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSettings:
    """How many recordings are analysed.

    settings: of each. course: of all recordings that a list gives no other; a partition of the Parquet files. workers:
    processes; None takes one for every `threads` processors. address: of a Ray cluster, None: this machine
    alone. piece: seconds into which long videos are cut. tries: of a piece whose worker ends; raising it lets a piece
    that ends its worker each time do so more often. parquet: a folder or a URL of fsspec to which each lesson's
    class over time is written, see `review.partitions`.
    """

    settings: AnalyzeSettings = field(default_factory=lambda: AnalyzeSettings(threads=1))  # for each worker
    course: str | None = None
    workers: int | None = None
    address: str | None = None
    piece: float = PIECE
    tries: int = 4
    parquet: str | None = None

    def __post_init__(self) -> None:
        if self.course is not None:
            check_name("The course", self.course)
        if self.settings.annotated is not None:
            raise ValueError("Many recordings are not annotated. Expected: one recording, given to `analyze`.")
        if self.workers is not None and self.workers < 1:
            raise ValueError(f"There must be one worker at least. Received: {self.workers}.")
        if self.tries < 1:
            raise ValueError(f"A piece must be tried once at least. Received: {self.tries}.")
        if not self.piece >= 1:
            raise ValueError(f"A piece must be a second long at least. Received: {self.piece} s.")


def batch(
    sources: str | Path | Sequence[str | Path],
    *,
    purpose: str | None = None,
    reference: str | None = None,
    db: str | Path | None = None,
    how: BatchSettings | None = None,
    tell: Callable[[Standing], None] = lambda standing: None,
) -> list[Outcome]:
    """Analyse many recordings, each to one stored lesson, and return what became of each.

    What was begun before, by this run or another, is gone on with; what is done is not done again. A recording, or a
    piece of one, that cannot be read costs itself alone. Ctrl-C ends it and keeps what was joined.

    Args:
        sources: folders, patterns, lists or videos, see `app.sources.find_entries`.
        purpose: research, self-study or demo; stored, and decides what may be shown.
        reference: ethics or consent number; with it, research may see single seats.
        db: the store's file or address; None takes what ROOMREAD_DB names, or the platform's folder for a user's data.
        how: how each is analysed, and how they are given out.
        tell: called with how far the run is.

    Raises:
        SettingsError: no proper purpose, or a list that cannot be used.
        SourceError: there is nothing to look at.
        MissingExtraError: Ray is not installed.
        ModelError, StoreError, OutputError: a model, the store or the Parquet folder cannot be used.
    """
    check_purpose(purpose, reference)
    given = BatchSettings() if how is None else how
    chosen = given.settings
    if chosen.model is not None:
        chosen = dataclasses.replace(chosen, model=chosen.model.absolute())  # workers may stand in another folder
    named = [sources] if isinstance(sources, str | Path) else list(sources)
    entries = find_entries(named, given.course)
    store = LessonStore(db)
    tidy(store)
    partitions = None if given.parquet is None else Partitions(given.parquet)

    def finished(number: int, entry: Entry) -> None:
        if partitions is not None:
            gate = open_gate(store, store.numbered(number))
            partitions.write(gate, mapping_of(gate.lesson), entry.course)

    made_with = Observer(chosen, side_by_side=True).made_with()
    with working(given) as pool:
        order = Order(
            purpose=purpose or "",
            reference=reference,
            settings=chosen,
            made_with=made_with,
            seconds=given.piece,
            workers=pool.workers,
            finished=finished,
            tell=tell,
        )
        return Run(order, store, pool).go(entries)


class RayPool:
    """Work for Ray, as futures."""

    def __init__(self, ray: Any, how: BatchSettings) -> None:
        found, self._tries, settings = ray.cluster_resources(), how.tries, how.settings
        self._ray, self._tasks = ray, dict[Callable[..., Any], Any]()
        self.workers = _workers(how, int(found.get("CPU", 1)))
        cards = min(1.0, found.get("GPU", 0.0) / self.workers) if settings.device == "cuda" else 0.0
        self._options = {"num_cpus": settings.threads, "num_gpus": cards, "max_retries": how.tries - 1}

    def submit(self, work: Callable[..., Any], /, *given: Any) -> Future[Any]:
        """Begin work; whatever goes wrong with it is a RoomreadError, so that it costs its piece alone."""
        made: Future[Any] = Future()
        if work not in self._tasks:  # made anew each time it would be another task to Ray, and take its turn apart
            self._tasks[work] = self._ray.remote(**self._options)(work)
        came: Future[Any] = self._tasks[work].remote(*given).future()
        came.add_done_callback(lambda future: self._pass_on(future, made))
        return made

    def _pass_on(self, came: Future[Any], made: Future[Any]) -> None:
        errors = self._ray.exceptions
        try:
            made.set_result(came.result())
        except RoomreadError as error:
            made.set_exception(SourceError(str(getattr(error, "cause", error))))  # without Ray's traceback
        except errors.RayTaskError as error:
            made.set_exception(SourceError(f"The worker could not go on: {error.cause!r}."))
        except errors.RayError as error:
            why = f"each of {self._tries} times, killed or out of memory ({type(error).__name__})"
            made.set_exception(SourceError(f"The process that looked at it ended {why}."))


@contextlib.contextmanager
def working(how: BatchSettings) -> Iterator[RayPool]:
    """Yield workers for as long as needed: of a Ray that runs in this process, of a cluster, or of this machine.

    Raises:
        MissingExtraError: Ray is not installed.
        SettingsError: there is no cluster at the address.
    """
    wanted = QUIET | {"RAY_task_oom_retries": str(how.tries - 1)}  # without it Ray tries for ever
    os.environ |= {name: value for name, value in wanted.items() if name not in os.environ}
    try:
        import ray
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            'This needs the package ray, which is not installed. Expected: pip install "roomread[scale]".'
        ) from error
    if ray.is_initialized():
        yield RayPool(ray, how)
        return
    folder = tempfile.mkdtemp(prefix="rr-", dir="/tmp" if os.name == "posix" else None)  # sockets take 107 letters
    ending = signal.getsignal(signal.SIGTERM)
    try:
        _begin(ray, how, folder)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, ending or signal.SIG_DFL)  # Ray's own would lose what was seen
        yield RayPool(ray, how)
    finally:
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def _workers(how: BatchSettings, cores: int) -> int:
    return how.workers or max(1, cores // how.settings.threads)


def _begin(ray: Any, how: BatchSettings, folder: str) -> None:
    """Start Ray here, or join the cluster."""
    quiet = {"log_to_driver": False, "logging_level": logging.CRITICAL, "configure_logging": True}
    if how.address is not None:
        host, _, port = how.address.removeprefix("ray://").rpartition(":")
        try:
            if port.isdigit():  # Ray itself tries for minutes
                socket.create_connection((host, int(port)), timeout=PATIENCE).close()
            ray.init(address=how.address, **quiet)
        except (OSError, ValueError, RuntimeError) as error:
            raise SettingsError(
                f"There is no Ray cluster at {how.address}: {error}. Expected: the address that `ray start` tells, "
                "of the same versions of Ray and Python, or no --address to use this machine."
            ) from error
        return
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    ray.init(
        address="local",
        num_cpus=_workers(how, cores) * how.settings.threads,
        object_store_memory=KEPT,
        include_dashboard=False,
        _temp_dir=folder,
        **quiet,
    )
