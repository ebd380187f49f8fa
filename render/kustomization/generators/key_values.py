"""Where generated data comes from: literals, env files and whole files (K26)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from render.errors import KustomizationError, NotInTree, within
from render.kustomization.loader import Loader

Pairs = list[tuple[str, bytes]]
Read = Callable[[Loader, str], Pairs]

_BOM = b"\xef\xbb\xbf"


def load_pairs(loader: Loader, args: dict[str, Any], name: str) -> dict[str, bytes]:
    """The data of a generator by key. Raises `KustomizationError` for repeated keys and sources without one."""
    pairs: dict[str, bytes] = {}
    envs = [*(args.get("envs") or []), *([args["env"]] if args.get("env") else [])]
    sources: list[tuple[tuple[str | int, ...], Read, str]] = [
        *(
            (("envs", place) if place < len(args.get("envs") or ()) else ("env",), _env, env)
            for place, env in enumerate(envs)
        ),
        *((("literals", place), _literal, literal) for place, literal in enumerate(args.get("literals") or ())),
        *((("files", place), _file, file) for place, file in enumerate(args.get("files") or ())),
    ]
    for steps, read, source in sources:
        with within(*steps):
            for key, value in read(loader, source):
                if key in pairs:
                    raise KustomizationError(
                        f"configmap {name} illegally repeats the key `{key}`",
                        hint="each key may come from one source only",
                    )
                pairs[key] = value
                loader.context.budget.made(len(value))
    return pairs


def _env(loader: Loader, source: str) -> Pairs:
    return _from_lines(_loaded(loader, source), source)


def _loaded(loader: Loader, entry: str) -> bytes:
    try:
        return loader.load(entry)
    except NotInTree as error:
        raise KustomizationError(f"'{loader.context.display(error.path or '')}' doesn't exist") from error


def _literal(_loader: Loader, source: str) -> Pairs:
    key, equals, value = source.partition("=")
    if not equals or not key:
        raise KustomizationError(f"invalid literal source {source}, expected key=value")
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    return [(key, value.encode("utf-8", "surrogateescape"))]


def _file(loader: Loader, source: str) -> Pairs:
    key, equals, path = source.partition("=")
    if not equals:
        return [(source.rstrip("/").rpartition("/")[2], _loaded(loader, source))]
    if "=" in path:
        raise KustomizationError(f"source \"{source}\" key name or file path contains '='")
    if not key:
        raise KustomizationError(f'missing key name for file path "{path}" in source "{source}"')
    if not path:
        raise KustomizationError(f'missing file path for key name "{key}" in source "{source}"')
    return [(key, _loaded(loader, path))]


def _from_lines(data: bytes, source: str) -> Pairs:
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
