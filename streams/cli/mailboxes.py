"""``brobygger mailboxes``: where sources get notices as CareCommunications, and what became of each letter."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from connectors.medcom_fhir.organisations import checked_organisation
from connectors.source_letters.mailboxes import Mailbox, Mailboxes
from connectors.source_letters.outbox import Outbox, Queued
from connectors.source_letters.service import open_mailboxes
from connectors.source_letters.tables import letters_database_of
from connectors.webhooks.urls import checked_form
from schemas.reference import load_reference
from schemas.refusals import RefusedError
from streams.cli.printing import AsJson, print_line, print_refusal, print_table, refuse
from streams.letter_service import letter_sender_of
from streams.settings import settings_of_process

app = typer.Typer(
    help="Set where sources get notices as CareCommunications.", add_completion=False, no_args_is_help=True
)
Recipient = Annotated[str, typer.Argument(help="as notices name it: sor:<SOR code>, or a client's name")]
_TOKEN_CHARACTERS_MAX = 4_096


@app.command("set")
def set_mailbox(  # noqa: PLR0913, PLR0917 one parameter an option of the command
    recipient: Recipient,
    url: Annotated[str, typer.Argument(help="where Bundles are posted: https://…; http:// on this machine only")],
    gln: Annotated[str, typer.Option(help="the recipient's GLN")],
    sor: Annotated[str | None, typer.Option(help="its SOR code, where the recipient's name does not hold it")] = None,
    token: Annotated[bool, typer.Option("--token", help="ask for a bearer token to send along")] = False,  # noqa: FBT002
    vans: Annotated[bool, typer.Option("--vans", help="send each in a VANSEnvelope; else bare")] = False,  # noqa: FBT002
) -> None:
    """Sends a recipient's notices there from now on, as letters that `brobygger deliver` writes."""
    settings = settings_of_process()
    if letter_sender_of(load_reference(settings.reference_folder)) is None:
        raise refuse("service.phone in receivers.toml is missing: a letter names a telephone that a person answers")
    try:
        organisation = checked_organisation(sor or recipient.removeprefix("sor:"), gln)
        mailbox = Mailbox(recipient, organisation, checked_form(url), token, datetime.now(UTC), vans)
    except RefusedError as error:
        raise print_refusal(error.refusal) from error
    held = typer.prompt("token", hide_input=True) if token else None
    if held is not None and not (held.isascii() and held.isprintable() and len(held) <= _TOKEN_CHARACTERS_MAX):
        raise refuse(f"token: at most {_TOKEN_CHARACTERS_MAX} printable ASCII characters")
    open_mailboxes(settings.data_folder, settings.letters_url).put(mailbox, held)


@app.command("list")
def list_mailboxes(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Lists every mailbox; one JSON line each, never a token."""
    mailboxes = _mailboxes().listed()
    rows = [_row(one) for one in mailboxes]
    if as_json:
        for row in rows:
            print_line(row)
        return
    columns = ("recipient", "sor", "gln", "url", "has_token", "in_envelope", "since")
    print_table("mailboxes", columns, ([row[column] for column in columns] for row in rows))


@app.command()
def remove(recipient: Recipient) -> None:
    """Sends a recipient no more letters; its notices stay on the topic and the pages."""
    if not _mailboxes().remove(recipient):
        raise refuse(f"{recipient} has no mailbox; `brobygger mailboxes list` shows them")


@app.command()
def letters(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="how many, newest first")] = 50,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Shows letters and what became of them: waiting, sent, acknowledged, refused, unacknowledged, undeliverable."""
    settings = settings_of_process()
    outbox = Outbox(letters_database_of(settings.data_folder, settings.letters_url))
    rows = [_letter_row(one) for one in outbox.listed(limit)]
    if as_json:
        for row in rows:
            print_line(row)
        return
    columns = ("notice_id", "recipient", "kind", "state", "sendings", "outcome", "next_at")
    print_table("letters", columns, ([row[column] for column in columns] for row in rows))


def _mailboxes() -> Mailboxes:
    settings = settings_of_process()
    return open_mailboxes(settings.data_folder, settings.letters_url)


def _row(mailbox: Mailbox) -> dict[str, Any]:
    return {
        "recipient": mailbox.recipient,
        **asdict(mailbox.organisation),
        "url": mailbox.url,
        "has_token": mailbox.has_token,
        "in_envelope": mailbox.in_envelope,
        "since": mailbox.since.isoformat(),
    }


def _letter_row(queued: Queued) -> dict[str, Any]:
    letter, progress = queued.letter, queued.progress
    return {
        "notice_id": letter.notice_id,
        "letter_id": letter.letter_id,
        "recipient": letter.recipient,
        "kind": letter.kind,
        "state": progress.state.value,
        "sendings": progress.sendings,
        "outcome": progress.outcome,
        "queued_at": queued.queued_at.isoformat(),
        "next_at": progress.next_at.isoformat(),
    }
