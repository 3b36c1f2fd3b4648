"""``seqtree gradcheck``: the hand-derived gradients of the chapters against central differences, as a table."""

from __future__ import annotations

from dataclasses import asdict

import click

from seqtree.cli.options import json_option, print_json
from seqtree.errors import SeqtreeError


@click.command(
    epilog="\b\nExamples:\n  seqtree gradcheck\n  seqtree gradcheck lstm gru gru-torch\n  seqtree gradcheck lstm --json"
)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@json_option
def gradcheck(names: tuple[str, ...], as_json: bool) -> None:
    """Check the gradients of the networks NAME, or of all networks of the chapters.

    Each gradient derived by hand is compared, entry by entry and in double precision, with central differences of the
    error; the exit code is 1 if any is off. The table without NAME shows all names.
    """
    from seqtree.reference.examples import check_all

    checks = check_all(names)
    failed = [check for check in checks if not check.passed]
    if as_json:
        print_json({"checks": [asdict(check) for check in checks], "passed": not failed})
    else:
        _print_table([(c.network, c.parameter, f"{c.error:.1e}", "yes" if c.passed else "NO") for c in checks])
    if failed:
        which = ", ".join(f"{check.network} {check.parameter}" for check in failed)
        raise SeqtreeError(f"{len(failed)} of {len(checks)} gradients are wrong: {which}")


def _print_table(rows: list[tuple[str, str, str, str]]) -> None:
    rows = [("network", "parameter", "largest relative error", "passed"), *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for network, parameter, error, passed in rows:
        click.echo(f"{network:<{widths[0]}}  {parameter:<{widths[1]}}  {error:>{widths[2]}}  {passed}")
