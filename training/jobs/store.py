"""The list of jobs in SQLite: who waits, who runs, and nothing that a kill at any moment could leave half done.

Every change is one transaction that excludes all others, of this process and of other ones. The job.json of every job
holds the same, so a list that is lost is made again from the folders.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from . import files
from .errors import Conflict, Unknown
from .lock import FolderLock, owner

FILE = "jobs.sqlite"
VERSION = 1
RECORD = "job.json"
ACTIVE = ("starting", "running")
# The states that each state may be followed by.
MOVES = {
    "queued": ("starting", "stopped", "paused"),
    "starting": ("running", "queued", "failed", "stopped", "paused"),
    "running": ("finished", "failed", "stopped", "paused", "queued"),
    "finished": (),
    "failed": ("queued",),
    "stopped": ("queued",),
    "paused": ("queued",),
}
SCHEMA = """
CREATE TABLE jobs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, device TEXT NOT NULL,
    place INTEGER NOT NULL, spec TEXT NOT NULL, dataset TEXT, parent TEXT, created REAL NOT NULL, started REAL,
    ended REAL, updated REAL NOT NULL, claim TEXT NOT NULL, tries INTEGER NOT NULL, runs INTEGER NOT NULL, pid INTEGER,
    phase TEXT NOT NULL, step INTEGER NOT NULL, total INTEGER NOT NULL, seconds_left REAL, metrics TEXT NOT NULL,
    reason TEXT NOT NULL, result TEXT NOT NULL);
CREATE UNIQUE INDEX one_per_device ON jobs (device) WHERE state IN ('starting', 'running');
CREATE TABLE commands (job TEXT NOT NULL, command TEXT NOT NULL, PRIMARY KEY (job, command));
CREATE TABLE moves (job TEXT NOT NULL, time REAL NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL);
"""
UNHARMFUL = (sqlite3.OperationalError, sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError)
PACKED = ("spec", "metrics", "result")  # kept as JSON


@dataclass(frozen=True)
class Job:
    """A row. spec: what the work is told; place: order in the queue of its device; claim: tells one start from the
    next; tries: starts since the work was last begun; runs: times it was begun."""

    id: str
    kind: str
    name: str
    device: str
    spec: dict[str, Any]
    created: float
    state: str = "stopped"
    place: int = 0
    dataset: str | None = None
    parent: str | None = None
    started: float | None = None
    ended: float | None = None
    updated: float = 0.0
    claim: str = ""
    tries: int = 0
    runs: int = 0
    pid: int | None = None
    phase: str = ""
    step: int = 0
    total: int = 0
    seconds_left: float | None = None
    metrics: dict[str, float | None] = field(default_factory=dict)
    reason: str = ""
    result: dict[str, Any] = field(default_factory=dict)


NAMES = tuple(f.name for f in fields(Job))


class Store:
    """The jobs below the folder `root`. Made on first use; safe to share between threads, processes and servers."""

    def __init__(self, root: Path) -> None:
        self.root, self.jobs = root, root / "jobs"
        self._mutex = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None  # of the open file, which may be deleted behind our back

    # ---- transactions

    @contextlib.contextmanager
    def change(self) -> Iterator[Changes]:
        """A transaction that excludes all others. Nothing of it is kept if it raises."""
        with self._mutex:
            db = self._open()
            db.execute("BEGIN IMMEDIATE")
            try:
                changes = Changes(db, self.jobs)
                yield changes
                changes.record()
                db.execute("COMMIT")
            except BaseException as error:
                with contextlib.suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                self._distrust(error)
                raise

    def find(self, key: str) -> Job:
        return _find(self._read("SELECT * FROM jobs WHERE id = ?", _id(key)), key)

    def all(self) -> list[Job]:
        """Newest first."""
        return [_job(row) for row in self._read("SELECT * FROM jobs ORDER BY created DESC, id")]

    def commands(self, key: str) -> list[str]:
        """That the worker of a job has not answered yet."""
        return [row["command"] for row in self._read("SELECT command FROM commands WHERE job = ? ORDER BY rowid", key)]

    def all_commands(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for row in self._read("SELECT job, command FROM commands ORDER BY rowid"):
            found.setdefault(row["job"], []).append(row["command"])
        return found

    def moves(self, key: str) -> list[tuple[float, str, str]]:
        """All changes of a job's state so far: time, before, after."""
        found = self._read("SELECT time, before, after FROM moves WHERE job = ? ORDER BY rowid", key)
        return [(row["time"], row["before"], row["after"]) for row in found]

    def note(self, key: str, claim: str, **values: Any) -> bool:
        """Progress of a run. False if it is not the one that the job is in any more."""
        with self.change() as changes:
            job = changes.known(key)
            if job is None or job.state != "running" or job.claim != claim:
                return False
            changes.set(key, updated=time.time(), **values)
            return True

    def answered(self, key: str, command: str) -> None:
        with self.change() as changes:
            changes.db.execute("DELETE FROM commands WHERE job = ? AND command = ?", (key, command))

    def exists(self) -> bool:
        return (self.root / FILE).exists()

    def close(self) -> None:
        with self._mutex:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _read(self, query: str, *values: Any) -> list[sqlite3.Row]:
        with self._mutex:
            db = self._open()
            try:
                return db.execute(query, values).fetchall()
            except sqlite3.Error as error:
                self._distrust(error)
                raise

    def _distrust(self, error: BaseException) -> None:
        """After damage the file is opened anew, and mended if need be."""
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, UNHARMFUL):
            self.close()

    # ---- the file

    def _open(self) -> sqlite3.Connection:
        path = self.root / FILE
        if self._connection is not None and _identity(path) == self._identity:
            return self._connection
        self.close()
        self.root.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = _connect(path, self.jobs)
        except sqlite3.OperationalError as error:
            raise Conflict(f"{path}: cannot be opened ({error}); check that the folder can be written") from None
        except sqlite3.DatabaseError:
            self._connection = self._anew(path)
        self._identity = _identity(path)
        return self._connection

    def _anew(self, path: Path) -> sqlite3.Connection:
        """The list made again from the folders, because it cannot be read. The old one is kept beside it."""
        with FolderLock(self.root, "mending") as lock:
            if not lock.take(30):
                raise Conflict(f"{path}: is damaged, and another process has been mending it for long; start again")
            try:
                return _connect(path, self.jobs)  # somebody else has mended it meanwhile
            except sqlite3.DatabaseError:
                stamp = f"{time.time():.0f}"
                for found in (path, path.with_name(FILE + "-wal"), path.with_name(FILE + "-shm")):
                    with contextlib.suppress(FileNotFoundError):
                        files.move(found, found.with_name(f"damaged-{stamp}-{found.name}"))
                return _connect(path, self.jobs)


class Changes:
    """What a transaction may do."""

    def __init__(self, db: sqlite3.Connection, jobs: Path) -> None:
        self.db, self.jobs = db, jobs
        self._moved: set[str] = set()

    def known(self, key: str) -> Job | None:
        found = self.db.execute("SELECT * FROM jobs WHERE id = ?", (key,)).fetchone()
        return None if found is None else _job(found)

    def find(self, key: str) -> Job:
        return _find(self.db.execute("SELECT * FROM jobs WHERE id = ?", (_id(key),)).fetchall(), key)

    def where(self, *states: str) -> list[Job]:
        """Jobs in these states in the order of their queues."""
        marks = ", ".join("?" * len(states))
        found = self.db.execute(f"SELECT * FROM jobs WHERE state IN ({marks}) ORDER BY place, created, id", states)
        return [_job(row) for row in found.fetchall()]

    def add(self, job: Job) -> None:
        marks = ", ".join("?" * len(NAMES))
        self.db.execute(f"INSERT INTO jobs ({', '.join(NAMES)}) VALUES ({marks})", tuple(_packed(asdict(job)).values()))
        self._moved.add(job.id)

    def set(self, key: str, **values: Any) -> None:
        """Columns of a job, but for its state."""
        names = ", ".join(f"{name} = ?" for name in values)
        self.db.execute(f"UPDATE jobs SET {names} WHERE id = ?", (*_packed(values).values(), key))

    def rename(self, key: str, name: str) -> None:
        self.set(key, name=name)
        self._moved.add(key)

    def move(self, key: str, state: str, **values: Any) -> None:
        """Bring a job into another state. Conflict if that does not follow the one it is in."""
        before, now = self.find(key).state, time.time()
        if state not in MOVES[before]:
            raise Conflict(f"job {key} is {before}, and cannot become {state}")
        if state in ACTIVE:
            values |= {"ended": None}
        else:
            self.db.execute("DELETE FROM commands WHERE job = ?", (key,))
            values |= {"pid": None, "phase": "", "seconds_left": None} | ({"ended": now} if before in ACTIVE else {})
        self.set(key, updated=now, **values)
        self.db.execute("UPDATE jobs SET state = ? WHERE id = ?", (state, key))
        self.db.execute("INSERT INTO moves VALUES (?, ?, ?, ?)", (key, now, before, state))
        self._moved.add(key)

    def command(self, key: str, command: str) -> None:
        self.db.execute("INSERT OR IGNORE INTO commands VALUES (?, ?)", (key, command))

    def end_of_queue(self) -> int:
        return 1 + (self.db.execute("SELECT max(place) FROM jobs").fetchone()[0] or 0)

    def drop(self, key: str) -> None:
        for table, column in (("jobs", "id"), ("commands", "job"), ("moves", "job")):
            self.db.execute(f"DELETE FROM {table} WHERE {column} = ?", (key,))
        self._moved.discard(key)

    def record(self) -> None:
        """Write the job.json of all jobs that changed; inside the transaction, so that they keep its order."""
        for key in sorted(self._moved):
            if (self.jobs / key).is_dir():
                files.write_json(self.jobs / key / RECORD, {"format": VERSION, **asdict(self.find(key))})


def _connect(path: Path, jobs: Path) -> sqlite3.Connection:
    """Open the list; a new one begins with the jobs whose folders are there."""
    db = sqlite3.connect(path, timeout=30.0, isolation_level=None, check_same_thread=False)
    try:
        db.row_factory = sqlite3.Row
        _patiently(db, "PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        if (found := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(found)
        if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            db.execute("BEGIN IMMEDIATE")
            if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                for statement in SCHEMA.split(";"):
                    db.execute(statement)
                _adopt(db, jobs)
                db.execute(f"PRAGMA user_version = {VERSION}")
            db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db


def _patiently(db: sqlite3.Connection, statement: str) -> None:
    """SQLite does not wait by itself while another process turns the same new file into one with a log."""
    deadline = time.monotonic() + 30
    while True:
        try:
            db.execute(statement)
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _adopt(db: sqlite3.Connection, jobs: Path) -> None:
    """The jobs of all folders. One that was being made is again, if its worker lives; otherwise it failed."""
    changes = Changes(db, jobs)
    for folder in files.folders(jobs):
        record = files.read_json(folder / RECORD)
        try:
            job = Job(**{name: (record or {})[name] for name in NAMES})
            if job.id != folder.name or job.state not in MOVES:
                continue
            changes.add(job)
        except (KeyError, TypeError, ValueError, sqlite3.IntegrityError, sqlite3.InterfaceError):
            continue  # no folder of ours: it stays as it is
        if job.state in ACTIVE and owner(folder) is None:
            changes.move(job.id, "failed", reason="its worker died, and the list of jobs was lost")
    changes.record()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _id(key: str) -> str:
    """SQLite takes no half characters, which some ids from outside have."""
    return key if files.ID.fullmatch(key) else ""


def _find(rows: list[sqlite3.Row], key: str) -> Job:
    if not rows:
        raise Unknown(f"there is no job {files.quoted(key)}; it may have been deleted")
    return _job(rows[0])


def _packed(values: dict[str, Any]) -> dict[str, Any]:
    return {name: json.dumps(value) if name in PACKED else value for name, value in values.items()}


def _job(row: sqlite3.Row) -> Job:
    values = {name: row[name] for name in NAMES}
    return Job(**values | {name: json.loads(values[name]) for name in PACKED})
