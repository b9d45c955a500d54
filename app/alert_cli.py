"""Alerts on the command line: tell people what is due or went wrong, once each."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from app import report
from app.runtime import open_runtime, utc_now

if TYPE_CHECKING:
    from app.settings import Settings


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would be told, and whom; write and send nothing.")
@click.option("--json", "js", is_flag=True, help="Print one JSON document on stdout.")
@click.pass_obj
def alert(settings: Settings, *, dry_run: bool, js: bool) -> None:
    """Tell people what is due or went wrong, by mail or webhook; exit 1 where a delivery failed. Safe to repeat."""
    from app.govern.alerts.channels import Everybody, channels_of
    from app.govern.alerts.run import rehearse, run
    from app.settings import SettingsError

    runtime = open_runtime(settings)
    ledger = runtime.door.ledger()
    if ledger is None:
        raise click.UsageError("there is no ledger here; run: python -m app migrate, or python -m app demo")
    configured = bool(settings.smtp_url or settings.webhook_url)
    if dry_run:
        missing = (
            "nothing is sent to anybody yet: set smtp_url and alert_from, or webhook_url and webhook_secret"
        )
        if not configured:
            click.echo(missing, err=True)
        ways = (
            (lambda room: channels_of(settings, room, utc_now)) if configured else (lambda _: (Everybody(),))
        )
        report.emit(rehearse(runtime, ledger, ways), js=js)
        return
    if not configured:
        raise SettingsError(
            "no channel is set, so nobody can be told: set smtp_url and alert_from, or webhook_url and webhook_secret;"
            " python -m app alert --dry-run says what is due"
        )
    done = run(runtime, ledger, lambda room: channels_of(settings, room, utc_now))
    report.emit(done, js=js)
    if done.failed:
        sys.exit(1)
