"""``brobygger links``: the signed link that a notice leads to, for whoever takes consents."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer

from connectors.pages.links import ABOUT_CONSENT, LINK_TIME_MAX, ConsentLink, consent_address, links_key
from connectors.pages.needs import NeedStore
from connectors.read_model.tables import open_read_model
from streams.cli.printing import AsJson, print_document, refuse
from streams.instance import gateway_settings, read_instance
from streams.settings import Settings, settings_of_process

app = typer.Typer(help="Make the signed link that a notice leads to.", add_completion=False, no_args_is_help=True)


@app.callback()
def links() -> None:
    """Keeps ``make`` a command of its own, although it is the only one."""


@app.command()
def make(
    notice_id: Annotated[UUID, typer.Argument(help="the notice's event id, as `subscribe notices` shows it")],
    days: Annotated[int, typer.Option(min=1, max=LINK_TIME_MAX.days, help="how long the link works")] = 7,
    gateway: Annotated[str | None, typer.Option(help="the gateway's address as the recipient reaches it")] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Prints the link on which a notice's recipient records consent; who has the link may use it until it expires."""
    settings = settings_of_process()
    needs = NeedStore(open_read_model(gateway_settings(settings).read_model_database))
    notice = needs.notice(notice_id)
    if notice is None:
        raise refuse(f"no notice has the id {notice_id}; `brobygger subscribe notices` shows them")
    if notice.kind not in ABOUT_CONSENT:
        raise refuse(f"a {notice.kind} notice asks for no consent; links are for {', '.join(ABOUT_CONSENT)}")
    need = needs.need(notice.subject)
    if need is None:
        raise refuse(f"the notice {notice_id} is about no need; give one that is")
    link = ConsentLink(notice_id, UUID(need.need_id), notice.recipient, datetime.now(UTC) + timedelta(days=days))
    address = consent_address(_address(settings, gateway), links_key(settings.keys_folder), link)
    if as_json:
        print_document({"link": address, "recipient": link.recipient, "expires_at": link.expires_at.isoformat()})
    else:
        typer.echo(address)


def _address(settings: Settings, given: str | None) -> str:
    instance = read_instance(settings.data_folder)
    local = instance.gateway if instance else f"http://{settings.gateway_host}:{settings.gateway_port}"
    own = settings.public_url or local
    return (given or own).rstrip("/")
