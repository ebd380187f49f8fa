"""`siteshift build DIR`: what `kustomize build DIR` prints."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from reconciler.errors import UsageError
from render.errors import InputError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from reconciler.cli.kept import Kept
    from render.kustomization import Manifest, Options, Resource
    from render.kustomization.model import Helm
    from render.tree import Tree
    from render.tree.remote import RemoteTree

EXAMPLES = """\
  siteshift build apps/ledger/sites/b
  siteshift build --load-restrictor LoadRestrictionsNone overlays/prod -o prod.yaml
  siteshift build 'https://git.example.com/team/base//deploy?ref=v1.2.3'
  siteshift build overlays/prod --explain 'Deployment/web.spec.replicas'
"""

RESTRICTORS = {"LoadRestrictionsRootOnly": "rootOnly", "LoadRestrictionsNone": "none"}

REFUSED: tuple[tuple[str, bool, str], ...] = (
    ("--enable-alpha-plugins", False, "plugins are programs from the repository, and those are never run"),
    ("--enable-exec", False, "functions that are programs from the repository are never run"),
    ("--enable-star", False, "functions that are programs from the repository are never run"),
    ("--network", False, "functions in containers are never run, so there is nothing to give a network to"),
    ("--network-name", True, "functions in containers are never run, so there is nothing to give a network to"),
    ("--mount", True, "functions in containers are never run, so there is nothing to mount into"),
    ("--as-current-user", False, "functions in containers are never run, so nobody has to be their user"),
    ("--env", True, "functions in containers are never run, so there is nothing to give variables to"),
    ("-e", True, "functions in containers are never run, so there is nothing to give variables to"),
)
"""Options of `kustomize build` that are refused: flag, whether it takes a value, and why."""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options, which are kustomize's own."""
    from reconciler.cli.options import add

    parser.add_argument(
        "dir",
        metavar="DIR",
        nargs="?",
        default=".",
        help="the folder with the kustomization.yaml, or the Git URL of one (https://…//folder?ref=…)",
    )
    parser.add_argument(
        "--load-restrictor",
        choices=sorted(RESTRICTORS),
        default="LoadRestrictionsRootOnly",
        help="whether files may be read from outside the kustomization's own folder",
    )
    parser.add_argument(
        "--reorder",
        choices=["legacy", "none"],
        default="unspecified",
        help="the order of the objects: by kind, or as they were written (default: what sortOptions says, else legacy)",
    )
    parser.add_argument(
        "-o", "--output", metavar="PATH", help="write to a file, or into a folder that is there: one file an object"
    )
    parser.add_argument(
        "--enable-managedby-label", action="store_true", help="label every object app.kubernetes.io/managed-by"
    )
    parser.add_argument("--explain", metavar="KIND/NAME[.FIELD]", help="say what gave an object or a field its value")
    register_helm(parser)
    add(parser, "no-cache")
    from argparse import SUPPRESS

    for flag, takes_value, why in REFUSED:
        parser.add_argument(flag, action=_refusing(why), nargs=None if takes_value else 0, help=SUPPRESS)


def register_helm(parser: argparse.ArgumentParser) -> None:
    """Declare the options about charts."""
    parser.add_argument("--enable-helm", action="store_true", help="let helmCharts run the program helm")
    parser.add_argument("--helm-command", metavar="PROGRAM", default="helm", help="the program (default: helm)")
    parser.add_argument("--helm-api-versions", metavar="VERSION", action="append", default=[], help="for Capabilities")
    parser.add_argument("--helm-kube-version", metavar="VERSION", help="for Capabilities")
    parser.add_argument("--helm-debug", action="store_true", help="taken and ignored: helm's errors are always shown")


def _refusing(why: str) -> type[argparse.Action]:
    import argparse

    class Refuse(argparse.Action):
        def __call__(self, *given: object, **_: object) -> None:
            raise UsageError(f"{given[-1]}: {why}")

    return Refuse


def run(arguments: argparse.Namespace) -> int:
    """Build and print."""
    if not arguments.dir:
        raise UsageError("the name of the folder is empty\n  hint: write . for the one where you are")
    try:
        _print(arguments)
    except InputError as error:
        from reconciler.cli.places import placed

        raise placed(error) from error
    return 0


def _print(arguments: argparse.Namespace) -> None:
    if arguments.explain is not None:
        from reconciler.cli.explaining import explained

        tree, folder, options, helm = source(arguments)
        sys.stdout.write(explained(tree, folder, arguments.explain, options, helm))
    elif arguments.output is not None and os.path.isdir(arguments.output):
        from render.kustomization import build

        tree, folder, options, helm = source(arguments)
        _write_files(build(tree, folder, options, helm=helm), arguments.output)
    elif arguments.output is not None:
        output = _output(arguments)
        from reconciler.cli.writing import write_file

        write_file(arguments.output, output)
    else:
        output = _output(arguments)
        sys.stdout.flush()
        sys.stdout.buffer.write(output)


def _output(arguments: argparse.Namespace) -> bytes:
    """What is printed: kept from an earlier build where nothing has changed, else built."""
    kept = _kept(arguments)
    output = None if kept is None else kept.output()
    if output is not None:
        return output
    from render.kustomization import build
    from render.yaml import dump

    noted = None if kept is None else kept.tree()
    tree, folder, options, helm = source(arguments, noted)
    resources = build(tree, folder, options, helm=helm)
    output = dump(resource.manifest for resource in resources).encode("utf-8", "surrogateescape")
    if kept is not None and noted is not None and not tree.has_fetched:
        kept.keep(noted, output)
    return output


def _kept(arguments: argparse.Namespace) -> Kept | None:
    """The place of a build that depends on nothing but files; None for any other."""
    if arguments.no_cache or arguments.enable_helm or not os.path.isdir(arguments.dir):
        return None
    from reconciler.cli.kept import Kept
    from reconciler.cli.where import cache_path

    options = (arguments.load_restrictor, arguments.reorder, str(arguments.enable_managedby_label))
    return Kept(cache_path(), (os.path.realpath(arguments.dir), *options))


def source(arguments: argparse.Namespace, files: Tree | None = None) -> tuple[RemoteTree, str, Options, Helm | None]:
    """What is built: a tree, the folder in it, how, and with which Helm."""
    from render.kustomization import Options
    from render.tree import FolderTree

    options = Options(
        load_restrictor=RESTRICTORS[arguments.load_restrictor],  # type: ignore[arg-type]
        reorder=arguments.reorder,
        enable_helm=arguments.enable_helm,
        managed_by=arguments.enable_managedby_label,
    )
    tree = with_bases(files or FolderTree("/"))
    folder = os.path.realpath(arguments.dir).lstrip("/")
    if not os.path.isdir(arguments.dir) and (":" in arguments.dir or ".com/" in arguments.dir):
        from render.tree.remote import is_remote, parse_remote

        if is_remote(arguments.dir):
            folder = parse_remote(arguments.dir).place
    return tree, folder, options, helm_of(arguments) if arguments.enable_helm else None


def with_bases(tree: Tree) -> RemoteTree:
    """The tree with every Git repository that a kustomization names: whoever builds a folder trusts what it names."""
    from render.tree.remote import Remote, RemoteTree

    def fetch(base: Remote) -> Tree:
        from reconciler.cli.where import cache_folder
        from reconciler.git.bases import Bases

        return Bases(cache_folder() / "bases")(base)

    return RemoteTree(tree, fetch)


def helm_of(arguments: argparse.Namespace) -> Helm:
    """What runs charts, as the options say."""
    from reconciler.cli.charts import HelmProgram
    from reconciler.cli.where import cache_folder

    defaults = {"--api-versions": arguments.helm_api_versions}
    if arguments.helm_kube_version:
        defaults["--kube-version"] = [arguments.helm_kube_version]
    return HelmProgram(arguments.helm_command, cache_folder() / "charts", defaults)


def _write_files(resources: Sequence[Resource], folder: str) -> None:
    """One file an object, named as kustomize names them: with the namespace where there are several."""
    from reconciler.cli.writing import write_files
    from render.yaml import dump

    placed = [(*_name_and_namespace(resource.manifest), resource.manifest) for resource in resources]
    several = len({namespace for _, namespace, _ in placed if namespace is not None}) > 1
    files = {}
    for name, namespace, manifest in placed:
        file_name = f"{namespace}_{name}" if several and namespace is not None else name
        files[f"{file_name.replace('/', '_')}.yaml"] = dump([manifest]).encode("utf-8", "surrogateescape")
    write_files(folder, files)


def _name_and_namespace(manifest: Manifest) -> tuple[str, str | None]:
    """An object's name among files, and its namespace; None for one that belongs to none."""
    from render.kustomization.ids import field_text, gvk_of
    from render.kustomization.schema import Schemas

    metadata, gvk = manifest["metadata"], gvk_of(manifest.get("apiVersion"), manifest.get("kind"))
    name = "_".join(part for part in (*gvk, field_text(metadata, "name")) if part)
    namespace = None if Schemas().is_cluster_scoped(gvk) else field_text(metadata, "namespace") or "default"
    return name.lower(), namespace
