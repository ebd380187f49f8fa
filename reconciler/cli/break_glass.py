"""`siteshift break-glass`: let one site start an application for a while although its gate is closed."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

from reconciler.errors import SiteshiftError, UsageError

if TYPE_CHECKING:
    import argparse

    from reconciler.failover.execute.record import Record

EXAMPLES = """\
  siteshift break-glass ledger --site b --for 15m --reason "INC-4711: Git is gone, a is dark, the database crashed"
  siteshift break-glass ledger --site b --mend

For people who have made sure by other means that the application runs nowhere else. It starts nothing: it lets the
cluster start what it would start. While the glass is broken the site can prove to nobody that it has stopped, so no
move goes on. Who, until when and why stands in the permit, ConfigMap permit-APP in siteshift-system.
"""

LONGEST = 24 * 3600.0
"""Seconds for which the glass may be broken at once."""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from reconciler.cli import asking
    from reconciler.cli.options import add

    parser.add_argument("app", metavar="APP", help="the application's name")
    parser.add_argument("--for", dest="time", metavar="TIME", default="15m", help="for how long (default: 15m)")
    parser.add_argument("--reason", metavar="TEXT", help="why, and how you know that it runs nowhere else")
    parser.add_argument("--mend", action="store_true", help="make the glass whole again, before its time")
    add(parser, "fleet", "site", "kubeconfig", "context", "color")
    asking.add(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show, ask, and write the permit."""
    from reconciler.cli import asking
    from reconciler.cli.connecting import connect_site
    from reconciler.failover.admission import permits
    from reconciler.failover.execute.record import Records
    from reconciler.fleet.durations import seconds, show

    length = seconds(arguments.time)
    if not arguments.mend and not arguments.reason:
        raise UsageError("--reason is needed: how do you know that the application runs nowhere else?")
    if not 0 < length <= LONGEST:
        raise UsageError(f'--for is "{arguments.time}", expected a time such as 15m, of {show(LONGEST)} at most')
    asking.check(arguments)
    cluster = connect_site(arguments)
    try:
        records = Records(cluster)
        record = records.read(arguments.app)
        _check(record, arguments)
        if arguments.mend:
            print(f"{arguments.app}: the glass is whole again: the permit alone decides what may start.")
        else:
            print(
                f"{arguments.app}: for {show(length)} everything of it may start here, whatever Git and the gate say."
            )
            print("If it runs at another site too, two sites write at once.")
        if arguments.dry_run:
            print("Nothing was changed (--dry-run).")
            return 0
        if not asking.agreed("Mend the glass?" if arguments.mend else "Break the glass?", arguments):
            print("Nothing was changed.")
            return 1
        why = f"{getpass.getuser()}: {arguments.reason}"
        written = records.write(
            record,
            window=lambda data, now: (
                permits.mended(data) if arguments.mend else permits.broken(data, now + length, why)
            ),
        )
        until = permits.broken_until(written.data)
        print("mended" if arguments.mend else f"broken until {permits.moment(until)}, by the API server's clock")
        return 0
    finally:
        cluster.close()


def _check(record: Record, arguments: argparse.Namespace) -> None:
    from reconciler.failover.admission import permits

    name = arguments.app
    if not record.version:
        raise SiteshiftError(f"this cluster has no permit for {name}: no controller has looked after it here")
    if record.journal_damage:
        raise SiteshiftError(f"the record of {name} cannot be read: {record.journal_damage}")
    if arguments.mend and permits.GLASS_UNTIL not in record.data:
        raise SiteshiftError(f"the glass of {name} is not broken here")
