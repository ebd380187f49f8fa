"""CustomResourceDefinitions as operators ship them.

Measured on those of Argo CD, cert-manager, Cluster API, Istio and the Prometheus operator: 54 to 60 bytes a line, a
mapping every five lines, two versions of a kind with nearly the same schema, and the schema of a pod inside many of
them, so that each description stands there four to eight times, mostly as a block of two to five lines.
"""

from __future__ import annotations

from collections.abc import Iterator

VERSIONS = ("v1beta1", "v1")

_HEAD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  annotations:
    controller-gen.kubebuilder.io/version: v0.20.1
  name: {plural}.example.com
spec:
  group: example.com
  names:
    kind: {kind}
    listKind: {kind}List
    plural: {plural}
    singular: {singular}
  scope: Namespaced
  versions:
"""

_VERSION = """\
  - additionalPrinterColumns:
    - jsonPath: .metadata.creationTimestamp
      name: Age
      type: date
    name: {version}
    schema:
      openAPIV3Schema:
        description: {kind} is the Schema for the {plural} API.
        properties:
          apiVersion:
            description: |-
              APIVersion defines the versioned schema of this object. Servers may
              convert it to the newest one that they know.
            type: string
          kind:
            description: Kind says which kind of object this is.
            type: string
          metadata:
            type: object
"""

_VERSION_END = """\
        type: object
    served: true
    storage: {storage}
    subresources:
      status: {{}}
"""

SHARED_SEED = 0
"""The words of the part that every kind embeds, as many embed the template of a pod."""


def definitions_text(size: int) -> str:
    """Definitions of `size` bytes and more, as one file."""
    documents: list[str] = []
    total = 0
    while total < size:
        documents.append(_definition(len(documents) + 1))
        total += len(documents[-1])
    return "---\n".join(documents)


def _definition(number: int) -> str:
    names = {"kind": f"Widget{number}", "plural": f"widget{number}s", "singular": f"widget{number}"}
    parts = [_HEAD.format(**names)]
    for version in VERSIONS:
        lines = [
            *_property("spec", _words(number), " " * 10, 3),
            *_property("status", _words(-number), " " * 10, 1),
            *_property("template", _words(SHARED_SEED), " " * 10, 4),
        ]
        parts += [_VERSION.format(version=version, **names), "".join(f"{line}\n" for line in lines)]
        parts.append(_VERSION_END.format(storage=str(version == VERSIONS[-1]).lower()))
    return "".join(parts)


def _property(name: str, words: Iterator[str], margin: str, depth: int) -> list[str]:
    """A property that is an object with properties of its own, `depth` levels deep."""
    lines = [f"{margin}{name}:", *_description(words, f"{margin}  ", 3), f"{margin}  properties:"]
    inner = f"{margin}    "
    for place in range(4):
        lines.append(f"{inner}{next(words)}{next(words).title()}{place}:")
        lines += _description(words, f"{inner}  ", (0, 1, 2, 4)[place])
        lines += [f"{inner}  enum:", f"{inner}  - Always", f"{inner}  - Never"] if place == 0 else []
        lines.append(f"{inner}  type: {'boolean' if place == 1 else 'string'}")
    lines += [f"{inner}{next(words)}Count:", f"{inner}  format: int32", f"{inner}  minimum: 0"]
    lines += [f"{inner}  type: integer", f"{inner}{next(words)}s:", f"{inner}  items:", f"{inner}    type: string"]
    lines += [f"{inner}  type: array", f"{inner}  x-kubernetes-list-type: atomic"]
    for place in range(2 if depth else 0):
        lines += _property(f"{next(words)}Options{place}", words, inner, depth - 1)
    return [*lines, f"{margin}  required:", f"{margin}  - {next(words)}", f"{margin}  type: object"]


def _description(words: Iterator[str], margin: str, lines: int) -> list[str]:
    """A description of so many lines; none of none."""
    if lines < 2:
        return [f"{margin}description: {_sentence(words)}"] * lines
    return [f"{margin}description: |-", *[f"{margin}  {_sentence(words)}" for _ in range(lines)]]


_VOCABULARY = """\
address affinity amount backend bridge bucket cache certificate claim class cluster cpu deadline
device disk driver endpoint event failure field firmware guest handler header host image index
interface kernel label limit listener machine memory migration mode monitor mount name network node
object owner path period pod policy port priority probe profile protocol quota queue rate reason
reference region replica request resource role route rule runtime schedule scope secret selector
server service session size snapshot source state status storage subnet target template threshold
timeout token topology type update user value version volume window worker zone
"""


def _words(seed: int) -> Iterator[str]:
    """Words without end, the same ones for a seed."""
    vocabulary, state = _VOCABULARY.split(), seed * 7919 + 12345
    while True:
        state = (state * 1103515245 + 12345) % 2**31
        yield vocabulary[(state >> 8) % len(vocabulary)]


def _sentence(words: Iterator[str]) -> str:
    """A line of a description."""
    return f"The {next(words)} of the {next(words)} {next(words)} that each {next(words)} may need, if there is any."
