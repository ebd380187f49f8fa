"""`siteshift sandbox`: embedded sites on this machine, for kubectl and for controllers, until Ctrl-C."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    import threading
    from collections.abc import Mapping
    from contextlib import ExitStack
    from pathlib import Path

    from sandbox.control import Control, Order
    from sandbox.processes import Processes
    from sandbox.site import Site

EXAMPLES = """\
  siteshift sandbox
  siteshift sandbox --sites a,b --dir ~/sandbox       what the sites hold is there again the next time
  siteshift sandbox --git                             with a Git server and an empty fleet repository

In another terminal, with the line that it prints:
  export KUBECONFIG=…/kubeconfig
  kubectl --context a get virtualmachines -A
  siteshift run --site a --fleet-url URL --context a
  siteshift sandbox kill a                            as when the power goes: the site's processes get SIGKILL
  siteshift sandbox start a                           it returns at the same address, with what it had on disk
"""

GIT_PORT = "git.port"


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from sandbox.control import ACTIONS

    parser.add_argument("action", nargs="?", choices=ACTIONS, help="kill or start one site of a running sandbox")
    parser.add_argument("site", nargs="?", metavar="SITE", help="the site to kill or to start")
    parser.add_argument("--sites", default="a,b", metavar="NAMES", help="names of the sites (default: a,b)")
    parser.add_argument(
        "--dir",
        metavar="DIR",
        help="folder of everything that the sites keep (default: a temporary; with kill and start: the latest sandbox)",
    )
    parser.add_argument("--git", action="store_true", help="also serve an empty fleet repository over HTTP")


def run(arguments: argparse.Namespace) -> int:
    """Start the sites, say how to reach them, and end them when interrupted; or tell a running sandbox what to do."""
    import tempfile
    from pathlib import Path

    from sandbox.processes import Processes

    if arguments.action is not None:
        return _order(arguments)
    names = _names(arguments.sites)
    with tempfile.TemporaryDirectory(prefix="siteshift-sandbox-") as temporary, Processes() as processes:
        folder = Path(arguments.dir).expanduser().resolve() if arguments.dir else Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        _serve(names, folder, processes, with_git=arguments.git)
    return 0


def _order(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from reconciler.errors import UsageError
    from sandbox.control import remembered, send

    if arguments.site is None:
        raise UsageError(f"a site is needed: siteshift sandbox {arguments.action} a")
    folder = Path(arguments.dir).expanduser().resolve() if arguments.dir else remembered(_pointer())
    if folder is None:
        raise UsageError("no sandbox was started yet\n  hint: start one with `siteshift sandbox`")
    print(send(folder, arguments.action, arguments.site))
    return 0


def _pointer() -> Path:
    from reconciler.cli.where import cache_folder

    return cache_folder() / "sandbox"


def _serve(names: list[str], folder: Path, processes: Processes, *, with_git: bool) -> None:
    import signal
    import threading
    from contextlib import ExitStack

    from sandbox.control import Control, remember
    from sandbox.kubeconfigs import write_kubeconfig
    from sandbox.site import Site

    ended = threading.Event()
    folders = {name: folder / name for name in names}
    sites = {
        name: Site(name, own, processes, peers={peer: path for peer, path in folders.items() if peer != name})
        for name, own in folders.items()
    }
    with ExitStack() as stack:
        control = stack.enter_context(Control(folder))

        def end(*_: object) -> None:
            if not ended.is_set():
                print("\nstopping", flush=True)
            ended.set()
            control.wake()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, end)
        for name, site in sites.items():
            if ended.is_set():
                return
            site.start()
            stack.callback(site.stop)
            print(f"site {name}: {site.url}", flush=True)
        if with_git:
            print(f"Git: {_start_git(folder, stack)}", flush=True)
        path = write_kubeconfig(folder / "kubeconfig", {name: site.kubeconfig() for name, site in sites.items()})
        remember(_pointer(), folder)
        print(f"\nexport KUBECONFIG={path}\nkubectl --context {names[0]} get nodes\n\nCtrl-C ends it.", flush=True)
        _supervise(sites, control, ended, folder)


def _supervise(sites: Mapping[str, Site], control: Control, ended: threading.Event, folder: Path) -> None:
    """Carry out orders until the end; a site that ends although nobody killed it is an error."""
    killed: set[str] = set()
    while not ended.is_set():
        order = control.next_order(0.5)
        if order is not None:
            _carry_out(order, sites, killed)
        for name, site in sites.items():
            if name not in killed and not site.running and not ended.is_set():
                _broken(name, folder)


def _carry_out(order: Order, sites: Mapping[str, Site], killed: set[str]) -> None:
    from reconciler.errors import SiteshiftError

    name, site = order.site, sites.get(order.site)
    if site is None:
        order.answer(f'there is no site "{name}" in this sandbox ({", ".join(sites)})', failed=True)
    elif order.action == "kill":
        site.kill()
        state = "is killed already" if name in killed else "was killed"
        killed.add(name)
        order.answer(f"site {name} {state}")
        print(f"site {name}: killed", flush=True)
    elif name not in killed:
        order.answer(f"site {name} runs already")
    else:
        try:
            site.start()
        except SiteshiftError as error:
            site.kill()
            order.answer(f"site {name} did not start: {error}", failed=True)
            return
        killed.discard(name)
        order.answer(f"site {name} runs again: {site.url}")
        print(f"site {name}: {site.url}", flush=True)


def _start_git(folder: Path, stack: ExitStack) -> str:
    """The fleet repository's address; its port is the one of before, so that clones and controllers find it again."""
    from sandbox.gitserver import GitServer

    (folder / "git").mkdir(exist_ok=True)
    kept = folder / GIT_PORT
    server = stack.enter_context(GitServer(folder / "git", int(kept.read_text()) if kept.exists() else 0))
    kept.write_text(f"{server.port}\n")
    return server.create("fleet.git")


def _broken(name: str, folder: Path) -> None:
    from reconciler.errors import SiteshiftError

    raise SiteshiftError(f"a process of site {name} has ended\n  hint: its logs are in {folder / name / 'logs'}")


def _names(text: str) -> list[str]:
    import re

    from reconciler.errors import UsageError

    names = text.split(",")
    wrong = [name for name in names if not re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name)]
    if wrong or len(set(names)) < len(names):
        raise UsageError(f'--sites is "{text}", expected names like a,b: lower case, each once')
    return names
