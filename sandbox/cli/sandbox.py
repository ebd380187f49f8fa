"""`siteshift sandbox`: embedded sites on this machine, for kubectl and for controllers, until Ctrl-C."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from sandbox.processes import Processes

EXAMPLES = """\
  siteshift sandbox
  siteshift sandbox --sites a,b --dir ~/sandbox       what the sites hold is there again the next time
  siteshift sandbox --git                             with a Git server and an empty fleet repository

In another terminal, with the line that it prints:
  export KUBECONFIG=…/kubeconfig
  kubectl --context a get virtualmachines -A
  siteshift run --site a --fleet-url URL --context a
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--sites", default="a,b", metavar="NAMES", help="names of the sites (default: a,b)")
    parser.add_argument("--dir", metavar="DIR", help="folder of everything that the sites keep (default: a temporary)")
    parser.add_argument("--git", action="store_true", help="also serve an empty fleet repository over HTTP")


def run(arguments: argparse.Namespace) -> int:
    """Start the sites, say how to reach them, and end them when interrupted."""
    import tempfile
    from pathlib import Path

    from sandbox.processes import Processes

    names = _names(arguments.sites)
    with tempfile.TemporaryDirectory(prefix="siteshift-sandbox-") as temporary, Processes() as processes:
        folder = Path(arguments.dir).expanduser().resolve() if arguments.dir else Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        _serve(names, folder, processes, with_git=arguments.git)
    return 0


def _serve(names: list[str], folder: Path, processes: Processes, *, with_git: bool) -> None:
    import signal
    import threading
    from contextlib import ExitStack

    from sandbox.gitserver import GitServer
    from sandbox.kubeconfigs import write_kubeconfig
    from sandbox.site import Site

    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: ended.set())
    folders = {name: folder / name for name in names}
    sites = {
        name: Site(name, own, processes, peers={peer: path for peer, path in folders.items() if peer != name})
        for name, own in folders.items()
    }
    with ExitStack() as stack:
        for name, site in sites.items():
            if ended.is_set():
                return
            site.start()
            stack.callback(site.stop)
            print(f"site {name}: {site.url}", flush=True)
        if with_git:
            (folder / "git").mkdir(exist_ok=True)
            server = stack.enter_context(GitServer(folder / "git"))
            print(f"Git: {server.create('fleet.git')}", flush=True)
        path = write_kubeconfig(folder / "kubeconfig", {name: site.kubeconfig() for name, site in sites.items()})
        print(f"\nexport KUBECONFIG={path}\nkubectl --context {names[0]} get nodes\n\nCtrl-C ends it.", flush=True)
        while not ended.wait(0.5):
            if broken := [name for name, site in sites.items() if not site.running]:
                _broken(broken, folder)


def _broken(names: list[str], folder: Path) -> None:
    from reconciler.errors import SiteshiftError

    raise SiteshiftError(f"a process of site {names[0]} has ended\n  hint: {folder / names[0] / 'logs'} says why")


def _names(text: str) -> list[str]:
    import re

    from reconciler.errors import UsageError

    names = text.split(",")
    wrong = [name for name in names if not re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name)]
    if wrong or len(set(names)) < len(names):
        raise UsageError(f'--sites is "{text}", expected names like a,b: lower case, each once')
    return names
