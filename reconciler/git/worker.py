"""The process that speaks with Git servers and reads what sites pushed: killed when it takes too long or too much.

`python -m reconciler.git.worker` is started by `remote.py`, which is the other side.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pygit2

from reconciler.errors import PushRefused, SourceError
from reconciler.git import limits
from reconciler.git.exchange import Exchange, MovedError
from reconciler.git.ref_store import RefStore
from reconciler.worker import serve

BRANCHES_SHOWN = 20

Request = Mapping[str, Any]
Answer = dict[str, Any]


def _list(request: Request) -> Answer:
    listed = _exchange(request).list(pygit2.Repository(request["folder"]))
    if request["names"] is None:
        return {"refs": listed}
    branches = sorted(name for name in listed if name.startswith("refs/heads/"))[:BRANCHES_SHOWN]
    return {"refs": {name: listed[name] for name in (*request["names"], *branches) if name in listed}}


def _fetch(request: Request) -> Answer:
    _exchange(request).fetch(pygit2.Repository(request["folder"]), request["refspecs"])
    return {}


def _bring(request: Request) -> Answer:
    store = RefStore(Path(request["folder"]))
    value, files = store.bring(_exchange(request), request["ref"], request["value"])
    return {"value": value, "files": _encoded(files)}


def _descends(request: Request) -> Answer:
    return {"descends": RefStore(Path(request["folder"])).descends(request["old"], request["new"])}


def _push(request: Request) -> Answer:
    store = RefStore(Path(request["folder"]))
    files = {name: base64.b64decode(content) for name, content in request["files"].items()}
    commit, whole = store.push(
        _exchange(request), request["ref"], request["expected"], files, request["message"], request["how"]
    )
    return {"commit": commit, "files": _encoded(whole)}


def _push_commit(request: Request) -> Answer:
    store = RefStore(Path(request["folder"]))
    store.push_commit(_exchange(request), request["ref"], request["expected"], request["commit"])
    return {}


OPERATIONS: Mapping[str, Callable[[Request], Answer]] = {
    "list": _list,
    "fetch": _fetch,
    "bring": _bring,
    "descends": _descends,
    "push": _push,
    "push_commit": _push_commit,
}


def answer(request: Request) -> Answer:
    """What comes of one request; errors are answers too."""
    try:
        return OPERATIONS[request["operation"]](request)
    except MovedError as error:
        return {"error": "moved", "message": str(error)}
    except PushRefused as error:
        return {"error": "refused", "message": str(error)}
    except SourceError as error:
        return {"error": "source", "message": str(error)}
    except MemoryError:
        return {"error": "source", "message": f"it takes more than {limits.WORKER_MEMORY} bytes of memory"}
    except (pygit2.GitError, OSError, KeyError, ValueError) as error:
        return {"error": "source", "message": f"{type(error).__name__}: {error}"}


def _exchange(request: Request) -> Exchange:
    credentials = request["credentials"]
    return Exchange(request["url"], None if credentials is None else Path(credentials), request["timeout"])


def _encoded(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: base64.b64encode(content).decode() for name, content in files.items()}


if __name__ == "__main__":
    serve(answer, limits.WORKER_MEMORY)
