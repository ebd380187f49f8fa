"""`siteshift promote-by-hand`: make one site's copy the primary without a move (hold `NotPrimary`, P18)."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

from reconciler.errors import SiteshiftError, UsageError

if TYPE_CHECKING:
    import argparse

    from reconciler.cluster import Cluster
    from reconciler.failover.execute.record import Record
    from reconciler.fleet.model import Application

EXAMPLES = """\
  siteshift promote-by-hand ledger --site b --reason "INC-4711: somebody demoted it"
  siteshift promote-by-hand ledger --site b --reason "INC-4712: no Git anywhere" --override-fence "a's power is cut"

At the site where the application is active, its copy becomes primary again. At any other, --override-fence says how
you know that nothing else writes: a copy that becomes primary beside another one diverges, and one of the two is lost.
The controller makes such a copy a secondary again unless the application is suspended.
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli import asking
    from reconciler.cli.options import add

    parser.add_argument("app", metavar="APP", help="the application's name")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why; it is kept on the objects")
    parser.add_argument("--override-fence", metavar="TEXT", help="how you know that no other site writes")
    add(parser, "fleet", "site", "kubeconfig", "context", "color")
    asking.add(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show, ask, and write the roles."""
    from reconciler.cli import asking
    from reconciler.cli.connecting import connect_site
    from reconciler.cli.where import fleet_tree
    from reconciler.failover.execute import by_hand
    from reconciler.failover.execute.record import Records
    from reconciler.fleet.load import load
    from reconciler.fleet.moving import named

    asking.check(arguments)
    if arguments.site is None:
        raise UsageError("--site is needed: whose copy is to become the primary")
    application = named(load(fleet_tree(arguments)), arguments.app)
    cluster = connect_site(arguments)
    try:
        record = Records(cluster).read(application.name)
        _check(record, application, arguments)
        for each in _roles(cluster, application):
            print(each)
        print(
            f"{application.name}: the copy at {arguments.site} becomes primary, by force where the array asks for it."
        )
        if arguments.dry_run:
            print("Nothing was changed (--dry-run).")
            return 0
        if not asking.agreed("Promote it?", arguments):
            print("Nothing was changed.")
            return 1
        why = f"{getpass.getuser()}: {'; '.join(filter(None, (arguments.reason, arguments.override_fence)))}"
        written = by_hand.promote(cluster, application, record, why)
        print(f"{written} objects were told to be primary" if written else "they were told to be primary already")
        return 0
    finally:
        cluster.close()


def _check(record: Record, application: Application, arguments: argparse.Namespace) -> None:
    from reconciler.failover.protocol.values import Step

    name, journal = application.name, record.journal
    if not record.version or journal is None:
        raise SiteshiftError(
            f"this cluster has no record of {name} that can be read: {record.damage or 'there is none'}"
        )
    if application.replication.driver == "none":
        raise SiteshiftError(f"{name} is not replicated (driver none): nothing has a role")
    if journal.step in (Step.STARTING, Step.ACTIVE) or arguments.override_fence:
        return
    raise SiteshiftError(
        f"{name} is not active at {arguments.site}: its journal says {journal.step.value} at epoch {journal.epoch}\n"
        f"  hint: siteshift failover {name} --to {arguments.site} moves it; without Git, --override-fence says how you"
        " know that no other site writes"
    )


def _roles(cluster: Cluster, application: Application) -> list[str]:
    """What each object is told now, as lines."""
    from reconciler.drivers import driver_of
    from reconciler.errors import NotFound

    lines = []
    for each in driver_of(application.replication.driver).role_objects(application):
        try:
            spec = cluster.get(each.api_version, each.kind, each.namespace, each.name).get("spec", {})
        except NotFound:
            raise SiteshiftError(f"{each} is not there") from None
        lines.append(f"{each}: is told {spec.get('replicationState', 'nothing')}")
    return lines
