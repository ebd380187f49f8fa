"""Where generated data comes from: literals, env files and whole files (K26)."""

from __future__ import annotations

from typing import Any

from render.errors import KustomizationError
from render.kustomization.loader import Loader

_BOM = b"\xef\xbb\xbf"


def load_pairs(loader: Loader, args: dict[str, Any], name: str) -> dict[str, bytes]:
    """The data of a generator by key. Raises `KustomizationError` for repeated keys and sources without one."""
    pairs: dict[str, bytes] = {}
    envs = [*(args.get("envs") or []), *([args["env"]] if args.get("env") else [])]
    found = [pair for source in envs for pair in _from_lines(loader.load(source), source)]
    found += [_literal(source) for source in args.get("literals") or []]
    found += [_file(loader, source) for source in args.get("files") or []]
    for key, value in found:
        if key in pairs:
            raise KustomizationError(
                f"configmap {name} illegally repeats the key `{key}`", hint="each key may come from one source only"
            )
        pairs[key] = value
    return pairs


def _literal(source: str) -> tuple[str, bytes]:
    key, equals, value = source.partition("=")
    if not equals or not key:
        raise KustomizationError(f"invalid literal source {source}, expected key=value")
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    return key, value.encode("utf-8", "surrogateescape")


def _file(loader: Loader, source: str) -> tuple[str, bytes]:
    key, equals, path = source.partition("=")
    if not equals:
        return source.rstrip("/").rpartition("/")[2], loader.load(source)
    if "=" in path:
        raise KustomizationError(f"source \"{source}\" key name or file path contains '='")
    if not key:
        raise KustomizationError(f'missing key name for file path "{path}" in source "{source}"')
    if not path:
        raise KustomizationError(f'missing file path for key name "{key}" in source "{source}"')
    return key, loader.load(path)


def _from_lines(data: bytes, source: str) -> list[tuple[str, bytes]]:
    pairs = []
    for number, line in enumerate(data.split(b"\n"), 1):
        text = line.removesuffix(b"\r")
        try:
            text.decode("utf-8")
        except UnicodeDecodeError:
            raise KustomizationError(f"line {number} has invalid utf8 bytes", path=source, line=number) from None
        if number == 1:
            text = text.removeprefix(_BOM)
        text = text.lstrip(b" \t\r\n\v\f")
        if text and not text.startswith(b"#"):
            key, _, value = text.partition(b"=")
            if key:
                pairs.append((key.decode(), value))
    return pairs
