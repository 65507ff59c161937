"""Programmes as their owners write them (``programmes/*.toml``), and the catalogue that the fold decides by.

A catalogue is everything a decision depends on: programmes, holidays, units, owners, regions. It is written
to the log as one version, so that a replay decides by what was in force then (law 3).
"""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.codes import NeedKind
from schemas.events import Municipality, Name, ReasonCode
from schemas.instants import days_of
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from pathlib import Path

TRIGGERS = ("discharge", "discharge_planned", "course_ended", "referral_rejected", "bridging")
ProgrammeId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]
# Twelve weeks to answer in, and thirteen until the first contact, are more than any programme promises.
WorkingDays = Annotated[int, Field(ge=1, le=60)]
Days = Annotated[int, Field(ge=1, le=92)]
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
CatalogueDay = Annotated[date, Field(ge=_FIRST_DAY, le=_LAST_DAY)]
ClosingDays = Annotated[tuple[CatalogueDay, ...], Field(max_length=1_000)]


class ProgrammeFileError(Exception):
    """A programme file is not as it must be; the text names file, field, rule and what to do."""


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Ages(_File):
    """Ages in whole years, both ends included, on the day of the offer."""

    lowest: Annotated[int, Field(ge=0, le=30)]
    highest: Annotated[int, Field(ge=0, le=30)]


class Site(_File):
    """One place of a programme and the municipalities it serves."""

    id: ProgrammeId
    name: Name
    municipalities: tuple[Municipality, ...]
    closing_days: ClosingDays = Field(default=(), description="its own, beside the programme's")


class Clocks(_File):
    """Reply clocks in working days, first contact in calendar days (docs/specification/rules.md K1).

    A reminder comes before the end.
    """

    remind_working_days: WorkingDays = 1
    reply_working_days: WorkingDays = 2
    first_contact_days: Days = 7


class ProgrammeFile(_File):
    """One file of ``programmes/``."""

    id: ProgrammeId
    name: Name
    receives_handovers: bool = True
    direction: Literal["to_civil_society", "upward"] = "to_civil_society"
    kinds: tuple[Literal["aftercare", "plan", "bridging"], ...] = ("aftercare", "bridging")
    triggers: tuple[ReasonCode, ...]
    only_courses: tuple[ProgrammeId, ...] = Field(default=(), description="answers only the end of these courses")
    identity: tuple[Literal["named", "anonymous"], ...]
    ages: Ages
    region: Annotated[str, Field(pattern=r"^[0-9]{4}$")] | None = None
    municipalities: tuple[Municipality, ...] = ()
    sites: tuple[Site, ...] = ()
    receiver: Literal["programme", "home_municipality"] = "programme"
    valid_from: CatalogueDay = _FIRST_DAY
    valid_to: CatalogueDay | None = None
    clocks: Clocks = Clocks()
    closing_days: ClosingDays = ()
    route: Literal["topic", "webhook", "worklist"] = "topic"
    public_key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        default=None, description="X25519 public key, hexadecimal, that identities are sealed to (RFC 9180)"
    )
    course_months: Annotated[int, Field(ge=1, le=120)] | None = Field(
        default=None, description="how long the courses that it follows on last at most"
    )
    course_notice_months: Annotated[int, Field(ge=1, le=12)] = Field(
        default=2, description="how long before that end it gets a heads-up"
    )
    adviser_weekday: Annotated[int, Field(ge=1, le=7)] | None = Field(
        default=None, description="the one day of the week on which it sees people, 1 is Monday"
    )
    slots_a_day: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None, description="how many it sees on such a day, at each site"
    )


class Programme(msgspec.Struct, frozen=True):
    """A programme as the fold knows it: dates as days, municipalities spelt out."""

    programme_id: str
    direction: str
    kinds: tuple[str, ...]
    triggers: tuple[str, ...]
    only_courses: tuple[str, ...]
    identity: tuple[str, ...]
    lowest_age: int
    highest_age: int
    sites: dict[str, str | None]
    receiver: str
    valid_from: int
    valid_to: int | None
    remind_working_days: int
    reply_working_days: int
    first_contact_days: int
    closing_days: tuple[int, ...]
    course_months: int | None = None
    course_notice_months: int = 2
    adviser_weekday: int | None = None
    slots_a_day: int | None = None
    site_closing_days: dict[str, tuple[int, ...]] = {}

    def closed_at(self, site: str | None) -> frozenset[int]:
        """Returns the days on which the programme, or this site of it, is closed."""
        return frozenset((*self.closing_days, *self.site_closing_days.get(site or "", ())))


class Catalogue(msgspec.Struct, frozen=True, dict=True):
    """One version of everything that decides.

    ``calendar_allowed`` is set for demo and scenarios alone. ``holidays`` are days that are
    not working days beside Saturdays and Sundays. ``pseudonym_keys`` are the ids of the roots that programmes'
    pseudonyms are made with, each with the version whose handovers it is used for first.
    """

    version: int
    programmes: dict[str, Programme]
    holidays: frozenset[int]
    units: dict[str, str]
    owners: dict[str, str]
    operations: str = "operations"
    settle_ms: int = 15 * 60 * 1000
    calendar_allowed: bool = False
    places: dict[str, tuple[int, int]] = {}
    pseudonym_keys: tuple[tuple[int, str], ...] = ()

    @cached_property
    def from_specific_to_general(self) -> list[Programme]:
        """Returns the programmes in the order in which they rank: fewer municipalities, narrower ages, id."""
        return sorted(
            self.programmes.values(),
            key=lambda one: (len(one.sites), one.highest_age - one.lowest_age, one.programme_id),
        )

    @cached_property
    def municipalities_with_plans(self) -> frozenset[str]:
        """Returns where a programme makes plans."""
        making = (one for one in self.programmes.values() if NeedKind.PLAN in one.kinds)
        return frozenset(municipality for one in making for municipality in one.sites)

    def pseudonym_key_at(self, version: int) -> str | None:
        """Returns the id of the root for handovers that were begun under a version, None where none is named."""
        begun = [key_id for since, key_id in self.pseudonym_keys if since <= version]
        first = self.pseudonym_keys[0][1] if self.pseudonym_keys else None
        return begun[-1] if begun else first

    def owner_of(self, municipality: str | None) -> str:
        """Returns the contact of a municipality, operations where none is set."""
        return self.owners.get(municipality or "", self.operations)


def load_programmes(folder: Path) -> tuple[ProgrammeFile, ...]:
    """Reads every programme file of a folder, by name; raises ProgrammeFileError."""
    found = tuple(_load(path) for path in sorted(folder.glob("*.toml")))
    if not found:
        raise ProgrammeFileError(f"{folder} holds no programme file; put one <id>.toml a programme there")
    return found


def _load(path: Path) -> ProgrammeFile:
    try:
        programme = ProgrammeFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProgrammeFileError(f"{path.name}: not a TOML file: {error}") from error
    except ValidationError as error:
        rows = "; ".join(f"{'.'.join(map(str, row['loc']))}: {row['msg']}" for row in error.errors())
        raise ProgrammeFileError(f"{path.name}: {rows}; see CONTRIBUTING, 'Add a programme'") from error
    _check(path, programme)
    return programme


def _check(path: Path, programme: ProgrammeFile) -> None:
    if programme.id != path.stem:
        raise ProgrammeFileError(f"{path.name}: id is {programme.id!r}; name the file {programme.id}.toml")
    unknown = set(programme.triggers) - set(TRIGGERS)
    if unknown:
        raise ProgrammeFileError(f"{path.name}: triggers: {sorted(unknown)} unknown; use some of {list(TRIGGERS)}")
    if programme.ages.lowest > programme.ages.highest:
        raise ProgrammeFileError(f"{path.name}: ages: lowest is above highest; swap them")
    if (programme.adviser_weekday is None) != (programme.slots_a_day is None):
        raise ProgrammeFileError(f"{path.name}: adviser_weekday and slots_a_day go together; set both or none")
    if programme.receives_handovers and not (programme.sites or programme.municipalities or programme.region):
        raise ProgrammeFileError(f"{path.name}: covers nobody; set sites, municipalities or region")
    _check_times(path, programme)


def _check_times(path: Path, programme: ProgrammeFile) -> None:
    clocks = programme.clocks
    if clocks.remind_working_days >= clocks.reply_working_days:
        raise ProgrammeFileError(
            f"{path.name}: clocks: remind_working_days is not below reply_working_days; a reminder leaves time for it"
        )
    if programme.valid_to is not None and programme.valid_to < programme.valid_from:
        raise ProgrammeFileError(f"{path.name}: valid_to is before valid_from; swap them")
    if programme.course_months is not None and programme.course_notice_months >= programme.course_months:
        raise ProgrammeFileError(
            f"{path.name}: course_notice_months is not below course_months; a heads-up comes during the course"
        )


def compiled(file: ProgrammeFile, region_members: dict[str, tuple[str, ...]]) -> Programme:
    """Returns a programme as the fold knows it; ``region_members`` lists each region's municipalities."""
    sites: dict[str, str | None] = dict.fromkeys(region_members.get(file.region or "", ()))
    sites |= dict.fromkeys(file.municipalities)
    sites |= {municipality: site.id for site in file.sites for municipality in site.municipalities}
    return Programme(
        programme_id=file.id,
        direction=file.direction,
        kinds=file.kinds,
        triggers=file.triggers,
        only_courses=file.only_courses,
        identity=file.identity,
        lowest_age=file.ages.lowest,
        highest_age=file.ages.highest,
        sites=dict(sorted(sites.items())),
        receiver=file.receiver,
        valid_from=days_of(file.valid_from),
        valid_to=days_of(file.valid_to) if file.valid_to else None,
        remind_working_days=file.clocks.remind_working_days,
        reply_working_days=file.clocks.reply_working_days,
        first_contact_days=file.clocks.first_contact_days,
        closing_days=tuple(map(days_of, file.closing_days)),
        site_closing_days={site.id: tuple(map(days_of, site.closing_days)) for site in file.sites if site.closing_days},
        course_months=file.course_months,
        course_notice_months=file.course_notice_months,
        adviser_weekday=file.adviser_weekday,
        slots_a_day=file.slots_a_day,
    )


def encode_catalogue(catalogue: Catalogue) -> str:
    """Returns the catalogue as JSON, the content of a CatalogueVersion record."""
    return msgspec.json.encode(catalogue, order="sorted").decode()


def decode_catalogue(content: str | bytes) -> Catalogue:
    """Returns the catalogue of a CatalogueVersion record's content; raises RefusedError where it is none."""
    try:
        return msgspec.json.decode(content, type=Catalogue)
    except msgspec.MsgspecError as error:
        refusal = Refusal(
            "unreadable_catalogue", "content", "the content is a compiled catalogue", "run `brobygger programmes apply`"
        )
        raise RefusedError(refusal) from error
