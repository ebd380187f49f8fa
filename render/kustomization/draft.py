"""An object while it is being built: its manifest, and what Kustomize remembers about it along the way.

Kustomize keeps these memories in annotations that it removes at the end; here they are fields. Manifests arrive shared
and immutable; a draft copies each mapping or list the first time that it changes it, and only that one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from render.errors import KustomizationError
from render.kustomization.context import Context
from render.kustomization.copying import deep_copy
from render.kustomization.ids import (
    CLUSTER,
    DEFAULT_NAMESPACE,
    Gvk,
    Id,
    field_text,
    gvk_of,
    id_text,
    metadata_text,
    require_text_key,
)
from render.kustomization.model import Manifest, Origin
from render.kustomization.provenance import Note
from render.yaml.scalars import may_be_time, resolve

if TYPE_CHECKING:
    from render.kustomization.styles import Styles

Trail = tuple[str | int, ...]
"""Where a value is in a manifest: keys and list positions."""


MEMORY = b"internal.config.kubernetes.io/"
"""How the annotations begin in which Kustomize keeps what is remembered here."""

_PREFIX = MEMORY.decode()


LaidOver = tuple[Manifest, Manifest, "Draft"]
"""A patch that was merged into an object: the object before, the patch as it was merged, who wrote it."""


class Draft:
    """One object on its way through the layers. `manifest` is None once a patch has deleted it."""

    __slots__ = (
        "_owned",
        "_styles",
        "_whole",
        "behavior",
        "comments",
        "context",
        "from_helm",
        "inline",
        "laid_over",
        "manifest",
        "name_is_untyped",
        "needs_hash",
        "origin",
        "prefixes",
        "previous",
        "provenance",
        "shared",
        "source",
        "suffixes",
        "touched",
        "transformations",
        "variables",
    )

    def __init__(self, manifest: Manifest, origin: Origin, context: Context, source: Trail = ()) -> None:
        self.manifest: Manifest | None = manifest
        self.origin = origin
        self.context = context
        self.source = source
        """Where in its document the object stands, if it is an element of a list of objects."""
        self.previous: list[tuple[str, str, str]] = []
        """(kind, name, effective namespace) of each earlier identity, the oldest first."""
        self.prefixes: list[str] = []
        self.suffixes: list[str] = []
        self.name_is_untyped = False
        """Whether its name was written anew: what replaces it says itself what it is."""
        self.needs_hash = False
        self.from_helm = False
        """Whether a chart made it: `namespace` leaves those alone."""
        self.behavior = ""
        self.variables: list[str] = []
        """Names of the vars that take their value from this object."""
        self.shared: dict[Trail, list[Trail]] = {}
        """Labels and annotations that one entry has made in several places: who changes one changes all of them."""
        self.provenance: Note | None = None
        """Where it comes from, if anybody asks for `buildMetadata`."""
        self.transformations: list[Note] = []
        self.comments: dict[Trail, dict[str, Any]] | None = None
        """Schemas in its file's comments; None while nobody has looked."""
        self.inline: bytes | None = None
        """The text that it was read from, if that is no file of its own."""
        self.laid_over: list[LaidOver] = []
        """What was merged into it since its styles were looked at, the oldest first."""
        self._styles: Styles | None = None
        """None while nobody has looked."""
        self.touched = 0
        """How often something was written into it, be it what stood there."""
        self._owned: dict[int, Any] = {}
        self._whole = False

    @property
    def content(self) -> Manifest:
        """The manifest of a draft that is not deleted."""
        assert self.manifest is not None
        return self.manifest

    @property
    def api_version(self) -> str:
        """As written, "" if there is none."""
        return field_text(self.manifest, "apiVersion")

    @property
    def kind(self) -> str:
        """As written."""
        return field_text(self.manifest, "kind")

    @property
    def name(self) -> str:
        """The current name."""
        return metadata_text(self.content, "name")

    @property
    def namespace(self) -> str:
        """The written namespace, "" if there is none."""
        return metadata_text(self.content, "namespace")

    @property
    def gvk(self) -> Gvk:
        """The current group, version and kind."""
        content = self.content
        return gvk_of(content.get("apiVersion"), content.get("kind"))

    @property
    def original_gvk(self) -> Gvk:
        """Kind and API version at first: patches may change a kind, nothing else counts as an earlier identity."""
        group, version, kind = self.gvk
        return group, version, self.previous[0][0] if self.previous else kind

    @property
    def cluster_scoped(self) -> bool:
        """Whether its kind is known to belong to no namespace."""
        return self.context.schemas.is_cluster_scoped(self.gvk)

    @property
    def effective_namespace(self) -> str:
        """The current namespace as identities have it."""
        return self._effective(self.gvk)

    def _effective(self, gvk: Gvk) -> str:
        if self.context.schemas.is_cluster_scoped(gvk):
            return CLUSTER
        return metadata_text(self.content, "namespace") or DEFAULT_NAMESPACE

    @property
    def id(self) -> Id:
        """The current identity."""
        gvk = self.gvk
        return (*gvk, metadata_text(self.content, "name"), self._effective(gvk))

    @property
    def original_namespace(self) -> str:
        """The effective namespace at first."""
        return self.previous[0][2] if self.previous else self.effective_namespace

    @property
    def original_name(self) -> str:
        """The name at first."""
        return self.previous[0][1] if self.previous else self.name

    @property
    def all_ids(self) -> list[Id]:
        """Every identity that it has had, the current one last."""
        group, version, _ = self.gvk
        ids: list[Id] = [(group, version, kind, name, namespace) for kind, name, namespace in self.previous]
        ids.append(self.id)
        return ids

    @property
    def text(self) -> str:
        """The current identity as in messages."""
        return id_text(self.gvk, self.name, self.namespace)

    def blame(self, error: KustomizationError) -> None:
        """Say that an error that names no file is about what this object says, `within` it."""
        if error.path is None:
            error.path, error.document = self.origin.path, self.origin.document
            error.within = (*self.source, *error.within)

    def remember_identity(self) -> None:
        """Keep the present name, namespace and kind as one that references and patches may use.

        Raises `KustomizationError` for an object that had names and has lost them.
        """
        if not self.name and not self.previous:
            return
        if not self.name:
            raise KustomizationError(f"{self.text} has lost its name", hint="a patch or replacement took it away")
        self.touched += 1
        self.previous.append((self.kind, self.name, self.effective_namespace))

    def remember_annotations(self) -> None:
        """Take what Kustomize's own annotations say, where somebody has written them into a file.

        Raises `KustomizationError` for earlier identities that lack a part.
        """
        noted = {key.removeprefix(_PREFIX): text for key, text in self.strings("annotations").items()}
        self.needs_hash = noted.get("needsHashSuffix") == "enabled"
        self.prefixes = noted["prefixes"].split(",") if "prefixes" in noted else []
        self.suffixes = noted["suffixes"].split(",") if "suffixes" in noted else []
        if "previousNames" not in noted:
            return
        parts = [noted.get(f"previous{part}", "").split(",") for part in ("Kinds", "Names", "Namespaces")]
        if len({len(part) for part in parts}) > 1:
            raise KustomizationError(
                "number of previous names, number of previous namespaces, number of previous kinds not equal",
                path=self.origin.path,
                hint=f"leave the annotations {_PREFIX}… out: they are Kustomize's own",
            )
        self.previous = [(kind, name, namespace) for kind, name, namespace in zip(*parts, strict=True)]

    @property
    def has_memory(self) -> bool:
        """Whether Kustomize keeps anything among the annotations."""
        return bool(
            self.previous
            or self.prefixes
            or self.suffixes
            or self.needs_hash
            or self.behavior
            or self.provenance is not None
            or self.transformations
        )

    def forget(self) -> None:
        """Lose everything that is remembered beside the manifest."""
        self.previous, self.prefixes, self.suffixes, self.needs_hash, self.behavior = [], [], [], False, ""
        self.forget_provenance()

    def forget_provenance(self) -> None:
        """Lose where it comes from and what happened to it."""
        self.provenance, self.transformations = None, []

    def own_all(self) -> Manifest:
        """The manifest, free to be changed anywhere."""
        if not self._whole:
            self.replace_all(deep_copy(self.content))
        self.touched += 1
        return self.content

    def replace_all(self, manifest: Manifest | None) -> None:
        """Take another manifest, which nobody else holds."""
        self.touched += 1
        self.manifest = manifest
        self._whole = True
        self._owned.clear()

    def place(self, trail: Trail) -> Any:
        """The mapping or list that holds the last step of the trail, free to be changed; makes what is missing."""
        self.touched += 1
        if self._whole:
            node: Any = self.content
            for step in trail[:-1]:
                child = node.get(step) if isinstance(node, dict) else node[step]
                if child is None:
                    child = node[step] = {}
                node = child
            return node
        return self._place(trail)

    def _place(self, trail: Trail) -> Any:
        owned = self._owned
        if id(self.manifest) not in owned:
            self.manifest = dict(self.content)
            owned[id(self.manifest)] = self.manifest
        node: Any = self.manifest
        for step in trail[:-1]:
            child = node.get(step) if isinstance(node, dict) else node[step]
            if id(child) not in owned or child is None:
                child = {} if child is None else child.copy()
                node[step] = child
                owned[id(child)] = child
            node = child
        return node

    def set(self, trail: Trail, value: Any) -> None:
        """Put a value that nobody else will change at the trail's end."""
        try:
            self.place(trail)[trail[-1]] = value
        except (AttributeError, IndexError, TypeError):
            raise KustomizationError(
                f"the field {'.'.join(map(str, trail))} of {self.text} cannot be set: it leads through no mapping"
            ) from None

    def spread(self, trail: Trail, old: Any, value: Any) -> None:
        """Put what has replaced a shared value at a trail into the other places that still have it."""
        for other in self.shared.get(trail, ()):
            if other != trail and self.value(other) == old:
                self.set(other, value)

    def value(self, trail: Trail) -> Any:
        """What stands at a trail, None if nothing does."""
        node: Any = self.content
        for step in trail:
            if isinstance(node, dict):
                node = node.get(step)
            elif isinstance(node, list) and isinstance(step, int) and step < len(node):
                node = node[step]
            else:
                return None
        return node

    def remove(self, trail: Trail) -> None:
        """Take a field away if it is there."""
        node: Any = self.content
        for step in trail[:-1]:
            node = node.get(step) if isinstance(node, dict) else None
        if isinstance(node, dict) and trail[-1] in node:
            del self.place(trail)[trail[-1]]

    @property
    def styles(self) -> Styles:
        """How its values are written."""
        if self._styles is None:
            from render.kustomization.styles import Styles  # loads the whole grammar

            self._styles = Styles(self)
        return self._styles

    def forget_styles(self) -> None:
        """Kustomize has printed the object and read it again: its values are written as it prints them."""
        self.inline, self._styles, self.laid_over, self.shared = b"", None, [], {}

    def text_at(self, trail: Trail, value: Any) -> str:
        """The text of the scalar that stands at the trail, as its file has it if it came from there."""
        if type(value) is str and self.is_plainly(value):
            return value
        return "" if isinstance(value, dict | list) else self.styles.at(trail, value).text

    def is_text(self, trail: Trail, value: Any) -> bool:
        """Whether a value is a text, or was written as one that says itself what it is."""
        return isinstance(value, str) or (self._styles is not None and self._styles.is_untyped(trail, value))

    def rewrite(self, trail: Trail, text: str) -> None:
        """Put another text at the trail, without a type of its own: where no quotes stand, the text says what it is."""
        if type(self.value(trail)) is str and type(resolve(text)) is str:
            self.set(trail, text)
        else:
            self.styles.rewrite(trail, text)

    def is_plainly(self, text: str) -> bool:
        """Whether a text was written so: not as a date, in a folded block, or encoded. If in doubt, it was not."""
        if may_be_time(text) or self._styles is not None:
            return False
        marks = (b"!!binary", b">") if "\n" in text else (b"!!binary",)
        writers = (self, *(writer for *_, writer in self.laid_over))
        return not any(each.context.holds(each.origin.path, each.inline, mark) for each in writers for mark in marks)

    def schema_in_comment(self, trail: Sequence[str | int]) -> dict[str, Any] | None:
        """What a comment beside a field says about it."""
        if self.comments is None:
            data = self.data()
            self.comments = {}
            if b"x-kubernetes-patch" in data:
                from render.kustomization.comment_schemas import comment_schemas

                self.comments = comment_schemas(data, self.origin.document)
        return self.comments.get((*self.source, *trail)) if self.comments else None

    def data(self) -> bytes:
        """The text that it was read from."""
        if self.inline is not None:
            return self.inline
        return self.context.read(self.origin.path) if self.origin.path else b""

    def strings(self, field: str) -> dict[str, str]:
        """Labels or annotations, each value as text."""
        found = self.value(("metadata", field))
        if not isinstance(found, dict):
            return {}
        return {key: self.text_at(("metadata", field, key), value) for key, value in found.items()}

    def set_strings(self, field: str, values: dict[str, str]) -> None:
        """Set labels or annotations as a whole; none at all removes the field."""
        if values:
            for key in values:
                require_text_key(key)
            self.set(("metadata", field), values)
        else:
            self.remove(("metadata", field))
