"""The record of each application: journal, permit and stop card in one ConfigMap; its version orders all writers.

Every write is by compare-and-swap on the whole; a copy of the card lies beside it. What cannot be read is a field of
the value, not an exception: one damaged record among many keeps nobody from reading the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from reconciler.errors import AlreadyExists, Conflict, NotFound
from reconciler.failover.admission import permits
from reconciler.failover.protocol.card import StopCard
from reconciler.failover.protocol.record_documents import read_card, read_journal, write_card, write_journal
from reconciler.failover.protocol.strict_json import DocumentError
from reconciler.failover.protocol.values import Journal, Permit, Step
from reconciler.objects import MOVES_MANAGER, SYSTEM_NAMESPACE, Manifest

if TYPE_CHECKING:
    from reconciler.cluster.client import Cluster

JOURNAL_FILE, CARD_FILE = "journal.json", "card.json"
MISSING = "it is missing, although the copy of its stop card is there"
RETRIES = 4
"""How often a write is tried again after a renewal of the permit came between."""

T = TypeVar("T")
Window = Callable[[Mapping[str, str], float], Mapping[str, str] | None]
"""From the record's data and the API server's time to the data with another window; None leaves it."""


@dataclass(frozen=True, slots=True)
class Record:
    """One application's record as it was read. `version`: its resourceVersion ("": it is not there). `journal` and
    `card` are None where they cannot be read, and `journal_damage`, `card_damage` say why; a site that knows nothing of
    the application yet has an empty journal, no card and no damage. `copy` is the copy of the card, as far as it was
    read. `data` is what the ConfigMap holds."""

    application: str
    version: str = ""
    journal: Journal | None = None
    journal_damage: str = ""
    card: StopCard | None = None
    card_damage: str = ""
    copy: StopCard | None = None
    data: Mapping[str, str] = field(default_factory=dict)

    @property
    def permit(self) -> Permit:
        """The window in which starts are admitted."""
        return permits.permit_of(self.data)

    @property
    def accepted(self) -> float | None:
        """When a heartbeat was last accepted, as of the last renewal (API server's clock); None where none says it."""
        card = self.card or self.copy
        known = (permits.seconds_of(self.data.get(permits.ACCEPTED)), card.accepted if card else None)
        return max((each for each in known if each is not None), default=None)

    @property
    def damage(self) -> str:
        """Everything that cannot be read, in words; "" where all can."""
        return "; ".join(filter(None, (self.journal_damage, self.card_damage)))

    def same_entry(self, other: Record) -> bool:
        """Whether the other one has the same journal entry. A renewal of the permit is no entry."""
        if self.journal is not None and other.journal is not None:
            return self.journal.sequence == other.journal.sequence
        return self.data.get(JOURNAL_FILE) == other.data.get(JOURNAL_FILE)


def copy_name(application: str) -> str:
    """The ConfigMap that holds the copy of a card."""
    return f"stop-card-{application}"


class Records:
    """Reads and writes the records of one site."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def read(self, application: str) -> Record:
        """One record. Damage is a field; raises ClusterError where the API server does not answer."""
        found = self._get(permits.name_of(application))
        copy = self._get(copy_name(application)) if found is None else None
        return _record(application, found, copy)

    def list(self) -> dict[str, Record]:
        """All records, by their applications' names, in one consistent list, with the copies of their cards."""
        label = permits.RECORD_LABEL
        listed = self._cluster.list("v1", "ConfigMap", SYSTEM_NAMESPACE, label).items
        by_name = {each["metadata"]["name"]: each for each in listed}
        applications = {
            application
            for each in listed
            if (application := (each["metadata"].get("labels") or {}).get(label, ""))
            and each["metadata"]["name"] in (permits.name_of(application), copy_name(application))
        }
        records = {}
        for application in sorted(applications):
            found, copy = by_name.get(permits.name_of(application)), by_name.get(copy_name(application))
            if found is None:
                found = self._get(permits.name_of(application))  # somebody may have taken its label off
            records[application] = _record(application, found, copy)
        return records

    def write(
        self,
        before: Record,
        *,
        journal: Journal | None = None,
        card: StopCard | None = None,
        window: Window | None = None,
    ) -> Record:
        """One compare-and-swap write of a new entry, a new card and another window, as far as they are given; creates
        the record, closed, where there was none. Conflict where anything but a renewal came between.

        The copy of a new card is written first; of a new record's, last: a copy without a record means that somebody
        deleted it. What the role gate admits without a nonce follows from the journal.
        """
        if journal is not None and before.journal is not None and journal.sequence <= before.journal.sequence:
            raise ValueError(f"entry {journal.sequence} does not follow {before.journal.sequence}")
        is_new = not before.version and not before.damage
        if card is not None and card != before.copy and not is_new:
            self._write_copy(before.application, card)
        written = self._swap(before, journal, card, window)
        if card is not None and is_new:
            self._write_copy(before.application, card)
        return written

    def _swap(self, before: Record, journal: Journal | None, card: StopCard | None, window: Window | None) -> Record:
        for _ in range(RETRIES):
            data = self._changed(before, journal, card, window)
            if data == dict(before.data):
                return before
            try:
                return replace(_record(before.application, self._put(before, data), None), copy=card or before.copy)
            except (Conflict, AlreadyExists) as error:
                now = self.read(before.application)
                if not _only_renewed(before, now):
                    raise Conflict(f"the record of {before.application} has changed: read it again") from error
                before = replace(now, copy=before.copy)
        raise Conflict(f"the record of {before.application} changes all the time")

    def mark(self, before: Record, annotation: str, value: str) -> Record:
        """A write that changes nothing but an annotation, so that every older version of the record is void."""
        manifest = _manifest(before, dict(before.data))
        manifest["metadata"]["annotations"] = {annotation: value}
        written = self._cluster.replace(manifest, manager=MOVES_MANAGER)
        return replace(_record(before.application, written, None), copy=before.copy)

    def _changed(
        self, before: Record, journal: Journal | None, card: StopCard | None, window: Window | None
    ) -> dict[str, str]:
        data = dict(before.data) if before.version else permits.closed(before.data)
        if window is not None:
            data = dict(window(data, self._cluster.server_time()) or data)
        if journal is not None:
            data[JOURNAL_FILE] = write_journal(journal)
        if card is not None:
            data[CARD_FILE] = write_card(card)
        return data | _admitted(journal or before.journal)

    def _put(self, before: Record, data: dict[str, str]) -> Manifest:
        if before.version:
            return self._cluster.replace(_manifest(before, data), manager=MOVES_MANAGER)
        return self._cluster.create(_manifest(before, data), manager=MOVES_MANAGER)

    def _write_copy(self, application: str, card: StopCard) -> None:
        metadata = {
            "name": copy_name(application),
            "namespace": SYSTEM_NAMESPACE,
            "labels": {permits.RECORD_LABEL: application},
        }
        data = {CARD_FILE: write_card(card)}
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        self._cluster.apply(manifest, manager=MOVES_MANAGER)

    def _get(self, name: str) -> Manifest | None:
        try:
            return self._cluster.get("v1", "ConfigMap", SYSTEM_NAMESPACE, name)
        except NotFound:
            return None


def _manifest(before: Record, data: dict[str, str]) -> Manifest:
    metadata = {
        "name": permits.name_of(before.application),
        "namespace": SYSTEM_NAMESPACE,
        "labels": {permits.RECORD_LABEL: before.application},
    }
    version = {"resourceVersion": before.version} if before.version else {}
    return {"apiVersion": permits.API_VERSION, "kind": permits.KIND, "metadata": metadata | version, "data": data}


def _record(application: str, found: Manifest | None, copy: Manifest | None) -> Record:
    where = f"ConfigMap {SYSTEM_NAMESPACE}/{permits.name_of(application)}"
    copied, _ = _parsed(copy, CARD_FILE, read_card, f"ConfigMap {SYSTEM_NAMESPACE}/{copy_name(application)}")
    if found is None:
        if copy is None:
            return Record(application, journal=Journal())
        return Record(application, journal_damage=f"{where}: {MISSING}", card_damage=f"{where}: {MISSING}", copy=copied)
    data = {key: value for key, value in (found.get("data") or {}).items() if isinstance(value, str)}
    journal, journal_damage = _parsed(found, JOURNAL_FILE, read_journal, where)
    card, card_damage = (None, "") if CARD_FILE not in data else _parsed(found, CARD_FILE, read_card, where)
    version = found["metadata"]["resourceVersion"]
    return Record(application, version, journal, journal_damage, card, card_damage, copied, data)


def _parsed(found: Manifest | None, file: str, parse: Callable[[str, str], T], where: str) -> tuple[T | None, str]:
    if found is None:
        return None, ""
    try:
        return parse((found.get("data") or {}).get(file, ""), f"{where}: {file}"), ""
    except DocumentError as error:
        return None, str(error)


def _admitted(journal: Journal | None) -> dict[str, str]:
    """What the role gate admits without a nonce: what this site's own journal says that it is."""
    is_primary = journal is not None and (
        journal.step in (Step.STARTING, Step.ACTIVE) or (journal.step is Step.PROMOTING and journal.called)
    )
    overwritten = journal is not None and journal.step is Step.RESYNCING and journal.discard
    return {permits.PRIMARY: str(is_primary).lower(), permits.OVERWRITE: str(overwritten).lower()}


def _only_renewed(before: Record, now: Record) -> bool:
    renewal = (permits.UNTIL, permits.ACCEPTED)

    def rest(record: Record) -> dict[str, str]:
        return {key: value for key, value in record.data.items() if key not in renewal}

    return bool(before.version and now.version) and rest(before) == rest(now)
