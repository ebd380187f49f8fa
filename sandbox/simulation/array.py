"""The storage array of one site: writes go to the primary copy, and a secondary follows it over a link that may be cut.

Replication is asynchronous and honest: the secondary's process pulls from the primary's folder at each interval, and
only while the other array's process lives (it holds a file lock that dies with it) and neither side has cut the link.
A killed site therefore neither ships nor receives, while its disk keeps every byte.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import SiteshiftError
from sandbox.simulation.copies import (
    Copy,
    CopyStore,
    ReplicaRole,
    copy_folder,
    read_copy,
    read_records,
    write_atomically,
)
from sandbox.simulation.lineage import Generation, Relation, common_length, relation

LOCK_TRIES = 10
LOCK, CUT, RECEIVED, EVENTS = "lock", "link-cut", "received.json", "events.jsonl"


class NotWritableError(SiteshiftError):
    """The array refuses a write here: the copy is secondary."""


class PreconditionError(SiteshiftError):
    """The array refuses a change of role as things are; forcing may be possible."""


class ArrayInUseError(SiteshiftError):
    """Another process serves this array."""


@dataclass(frozen=True, slots=True)
class PeerCopy:
    """Another array's copy as this array sees it; `received_at` is when it last had everything, epoch seconds."""

    array: str
    copy: Copy | None
    received_at: float | None


@dataclass(frozen=True, slots=True)
class Sync:
    """Whether a volume's copies agree. `problem` says why not; empty while data is only on its way."""

    in_sync: bool
    diverged: bool = False
    problem: str = ""


class Array:
    """The copies of one site, in `folder`; `peers` are the folders of the other sites' arrays by their names.

    One process serves a folder at a time (ArrayInUseError otherwise). Safe to be used by several threads.
    """

    def __init__(
        self, folder: Path, site: str, peers: Mapping[str, Path] | None = None, *, now: Callable[[], float] = time.time
    ) -> None:
        self.folder, self.site = folder, site
        self._peers = {name: path for name, path in sorted((peers or {}).items()) if name != site}
        self._now = now
        self._lock = threading.RLock()
        folder.mkdir(parents=True, exist_ok=True)
        self._alive = _take_lock(folder / LOCK)
        self._store = CopyStore(folder)
        self._users: Counter[str] = Counter()
        self._caught_up: set[str] = set()
        self._received: dict[str, float] = {}
        self._events = (folder / EVENTS).open("a", buffering=1)

    def close(self) -> None:
        """Stop serving; to the peers the array is gone."""
        with self._lock:
            self._store.close()
            self._events.close()
            os.close(self._alive)

    # What hosts do

    def create(self, handle: str) -> None:
        """Make sure that the volume exists here; a new one is empty and not replicated."""
        with self._lock:
            self._store.create(handle)

    def write(self, handle: str, line: bytes) -> None:
        """Append one line; when this returns, it survives the death of every process. Raises NotWritableError."""
        with self._lock:
            copy = self._store.create(handle)
            if copy.role is ReplicaRole.SECONDARY:
                raise NotWritableError(f"volume {handle} is secondary at {self.site}")
            if not copy.history.generations:
                self._store.set(handle, generations=(self._generation(0),))
            self._store.append(handle, line)

    def last_line(self, handle: str) -> bytes:
        """The last line of the local copy; empty if there is none."""
        with self._lock:
            self._store.create(handle)
            return self._store.last_line(handle)

    def attach(self, handle: str) -> None:
        """A host begins to use the volume."""
        with self._lock:
            self._users[handle] += 1

    def detach(self, handle: str) -> None:
        """A host ends using the volume."""
        with self._lock:
            self._users[handle] -= 1

    # What the replication driver does

    def copy(self, handle: str) -> Copy:
        """The local copy."""
        with self._lock:
            return self._store.create(handle)

    def promote(self, handles: Iterable[str], *, force: bool = False) -> None:
        """Make the local copies primary: all or none. PreconditionError unless each is complete and nobody's else."""
        with self._lock:
            pending = [handle for handle in handles if self._store.create(handle).role is not ReplicaRole.PRIMARY]
            if not force:
                for handle in pending:
                    self._require_promotable(handle)
            for handle in pending:
                history = self._store.create(handle).history
                generation = self._generation(history.length)
                self._store.set(handle, role=ReplicaRole.PRIMARY, generations=(*history.known(), generation))
                self._caught_up.discard(handle)
                self._note("promoted", handle, forced=force, generation=generation.name)

    def demote(self, handles: Iterable[str]) -> None:
        """Make the local copies secondary. PreconditionError while a host uses one."""
        with self._lock:
            pending = [handle for handle in handles if self._store.create(handle).role is not ReplicaRole.SECONDARY]
            for handle in pending:
                if self._users[handle] > 0:
                    raise PreconditionError(f"volume {handle} is in use at {self.site}")
            for handle in pending:
                self._store.set(handle, role=ReplicaRole.SECONDARY)
                self._caught_up.discard(handle)
                self._note("demoted", handle)

    def disable(self, handles: Iterable[str]) -> None:
        """End the replication of the local copies: each is on its own from now on."""
        with self._lock:
            for handle in handles:
                if self._store.create(handle).role is not ReplicaRole.NONE:
                    self._store.set(handle, role=ReplicaRole.NONE)
                    self._note("disabled", handle)

    def resync(self, handles: Iterable[str], *, force: bool) -> Sync:
        """Whether the secondary copies agree with their peers; `force` gives up local data that no peer has."""
        with self._lock:
            answers = [self._resync(handle, force=force) for handle in handles]
        problems = [answer.problem for answer in answers if answer.problem]
        return Sync(
            all(answer.in_sync for answer in answers),
            any(answer.diverged for answer in answers),
            "; ".join(problems),
        )

    def peers(self, handle: str) -> tuple[PeerCopy, ...]:
        """The peers' copies; only of arrays that can be reached now."""
        return tuple(
            PeerCopy(name, read_copy(copy_folder(folder, handle)), _received_at(folder, handle))
            for name, folder in self._peers.items()
            if self.reaches(name)
        )

    def reaches(self, peer: str) -> bool:
        """Whether the peer's array is alive and the link to it whole."""
        folder = self._peers[peer]
        return not (self.folder / CUT).exists() and not (folder / CUT).exists() and _is_locked(folder / LOCK)

    @property
    def peer_names(self) -> tuple[str, ...]:
        """The other arrays, whether they can be reached or not."""
        return tuple(self._peers)

    def cut_link(self, cut: bool) -> None:
        """Cut or mend this array's link to all others."""
        marker = self.folder / CUT
        if cut:
            marker.touch()
        else:
            marker.unlink(missing_ok=True)

    def replicate(self) -> None:
        """One pass: each secondary copy takes over what the copy that it follows has more than it."""
        with self._lock:
            begun = self._now()
            complete = {handle for handle in self._store.handles() if self._follow(handle)}
            self._caught_up = complete
            if complete:
                self._received |= dict.fromkeys(complete, begun)
                write_atomically(self.folder / RECEIVED, json.dumps(self._received))

    # Inside

    def _follow(self, handle: str) -> bool:
        """Take over from the peer that this copy follows; whether it has then all that the peer had at the start."""
        mine = self._store.get(handle)
        source = self._source(handle)
        if mine is None or mine.role is not ReplicaRole.SECONDARY or source is None:
            return False
        folder, theirs = source
        how = relation(mine.history, theirs.history)
        if how is Relation.BEHIND:
            start = mine.history.length
            data = read_records(folder, start)[: theirs.history.length - start]
            if _parted_since(folder, theirs):
                return False
            # Generations first: a copy may know of one before its first byte, never the other way round.
            self._store.set(handle, generations=theirs.history.generations)
            self._store.append(handle, data)
            return len(data) == theirs.history.length - start
        return how is Relation.SAME

    def _source(self, handle: str) -> tuple[Path, Copy] | None:
        """The reachable copy to follow: the primary, or else one that a demotion left further ahead."""
        copies = [(peer.array, peer.copy) for peer in self.peers(handle) if peer.copy is not None]
        copies = [(name, copy) for name, copy in copies if copy.role is not ReplicaRole.NONE]
        copies.sort(key=lambda found: (found[1].role is ReplicaRole.PRIMARY, found[1].history.length), reverse=True)
        return (copy_folder(self._peers[copies[0][0]], handle), copies[0][1]) if copies else None

    def _require_promotable(self, handle: str) -> None:
        mine = self._store.create(handle)
        never_replicated = mine.role is ReplicaRole.NONE
        for peer in self._peers:
            if not self.reaches(peer):
                if never_replicated:
                    continue
                raise PreconditionError(f"the array of {peer} cannot be asked about volume {handle}")
        for seen in self.peers(handle):
            if seen.copy is None or seen.copy.role is ReplicaRole.NONE:
                continue
            if seen.copy.role is ReplicaRole.PRIMARY:
                raise PreconditionError(f"volume {handle} is primary at {seen.array}")
            if relation(mine.history, seen.copy.history) in (Relation.BEHIND, Relation.DIVERGED):
                raise PreconditionError(f"volume {handle} is not complete here: {seen.array} has more")

    def _resync(self, handle: str, *, force: bool) -> Sync:
        mine = self._store.create(handle)
        for name in self._peers:
            if not self.reaches(name):
                return Sync(False, problem=f"the array of {name} cannot be reached")
        for peer in self.peers(handle):
            if peer.copy is None or peer.copy.role is ReplicaRole.NONE:
                return Sync(False, problem=f"volume {handle} is not replicated at {peer.array}")
            how = relation(mine.history, peer.copy.history)
            # A primary follows nobody: what it does not have is lost to it, even if it wrote nothing of its own yet.
            unwanted = how is Relation.AHEAD and peer.copy.role is ReplicaRole.PRIMARY
            if how is Relation.DIVERGED or unwanted:
                return self._give_up(handle, peer.array, peer.copy, force=force)
            follows = peer.copy.role is ReplicaRole.PRIMARY and handle in self._caught_up and how is Relation.BEHIND
            if how is not Relation.SAME and not follows:
                return Sync(False)
        return Sync(True)

    def _give_up(self, handle: str, array: str, theirs: Copy, *, force: bool) -> Sync:
        """What happens to a copy that parted from its peer's: it stays, or with force is cut back to what is common."""
        if not force:
            return Sync(False, diverged=True, problem=f"split brain: volume {handle} was written here and at {array}")
        if theirs.role is not ReplicaRole.PRIMARY:
            return Sync(False, diverged=True, problem=f"volume {handle} is primary nowhere: nothing to follow")
        mine = self._store.create(handle)
        length = common_length(mine.history, theirs.history)
        kept = self._store.cut(handle, length, f"{self._now():.6f}.records")
        self._note("discarded", handle, bytes=mine.history.length - length, snapshot=str(kept.relative_to(self.folder)))
        return Sync(False)

    def _generation(self, start: int) -> Generation:
        return Generation(f"{self.site}-{uuid.uuid4().hex[:12]}", start)

    def _note(self, event: str, handle: str, **details: object) -> None:
        self._events.write(json.dumps({"at": self._now(), "event": event, "volume": handle, **details}) + "\n")


def _parted_since(folder: Path, seen: Copy) -> bool:
    """Whether a copy was promoted or cut back since it was seen: what was read meanwhile may belong to neither."""
    now = read_copy(folder)
    return now is None or now.history.generations != seen.history.generations


def _received_at(folder: Path, handle: str) -> float | None:
    try:
        times: dict[str, float] = json.loads((folder / RECEIVED).read_text())
    except FileNotFoundError:
        return None
    return times.get(handle)


def _take_lock(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(0.02)  # a peer that looks whether we are alive holds it for a moment
        else:
            return descriptor
    os.close(descriptor)
    raise ArrayInUseError(f"another process serves the array in {path.parent}")


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
