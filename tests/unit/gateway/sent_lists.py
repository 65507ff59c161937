"""Lists as tests send them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from connectors.gateway.clients.clients import ClientKind
from tests.unit.municipal.builders import a_workbook, with_part

if TYPE_CHECKING:
    import httpx

    from tests.unit.gateway.builders import Gateway

CSV = {"content-type": "text/csv"}
NAMES = "CPR;Sag;Status;Dato"
COURSE = "0105109996;S-1;active;01-11-2025"
OTHER = "2511109991;S-2;active;01-11-2025"
COURSES = """
event = "enrolment"
mode = "{mode}"
[columns]
CPR = "person.cpr"
Sag = "subject"
Status = "status"
Dato = "status_at"
[constants]
programme = "stime"
"person.municipality" = "0217"
"""
_SHEET = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row>%b</row></sheetData>'
    b"</worksheet>"
)
# Some 30 kB, of which reading takes seconds.
HEAVY = with_part(a_workbook(), "xl/worksheets/sheet1.xml", _SHEET % (b"<c/>" * 1_900_000))
VANISHED = '[missing]\nstatus = "dropped_out"\nreason_code = "left_the_list"\nshare_max = 0.5\n'


def a_list(*rows: str, names: str = NAMES) -> bytes:
    """Returns a list as CSV."""
    return "".join(f"{row}\n" for row in (names, *rows)).encode()


def map_list(gateway: Gateway, text: str, name: str = "courses") -> None:
    """Writes a list's mapping file into the gateway's data folder."""
    folder = gateway.settings.lists_folder
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")


def map_courses(gateway: Gateway, mode: str = "changes", more: str = "") -> None:
    """Writes the mapping of a list of courses."""
    map_list(gateway, COURSES.format(mode=mode) + more)


class Sender:
    """A source that sends one list again and again, a minute later each time."""

    def __init__(self, gateway: Gateway, name: str = "courses") -> None:
        """Makes the source's token."""
        self._gateway = gateway
        self._name = name
        self._headers = gateway.token(ClientKind.SOURCE, "helsingoer")

    async def send(self, *rows: str, query: str = "", names: str = NAMES, **headers: str) -> httpx.Response:
        """Posts the list and returns the answer."""
        return await self.post(a_list(*rows, names=names), query, **headers)

    async def post(self, content: bytes, query: str = "", **headers: str) -> httpx.Response:
        """Posts bytes and returns the answer."""
        self._gateway.clock.now += timedelta(minutes=1)
        self._gateway.clock.seconds += 60
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"/lists/{self._name}{query}"
        return await self._gateway.http.post(url, content=content, headers=CSV | self._headers | named)


def outcomes(answer: httpx.Response) -> list[tuple[int, str]]:
    """Returns row and outcome of a report."""
    return [(row["row"], row["outcome"]) for row in answer.json()["report"]]


def told(gateway: Gateway, topic: str = "enrolments") -> list[tuple[str, str | None, str | None]]:
    """Returns of each event published: its status, and the places of the events that it revises and cancels."""
    events: list[dict[str, Any]] = gateway.published(topic)
    places = {event["event_id"]: str(place) for place, event in enumerate(events)}
    key = "decision" if topic == "consents" else "status"
    return [(event[key], places.get(event["revises"]), places.get(event["cancels"])) for event in events]


def missing(answer: Any) -> dict[str, Any]:
    """Returns what a report says of missing rows."""
    found: dict[str, Any] = answer.json()["missing"]
    return found
