"""Reference data: receivers, units, owners, municipalities and regions, read from a folder of files.

``sources.toml`` says of each file where it comes from and as of which day. Every file is checked whole when it is read;
what is wrong is said with file and entry.
"""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.codes import Specialty
from schemas.events import Municipality, Name
from schemas.reference_checks import ReferenceDataError, check, read_file, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

Sor = Annotated[str, Field(pattern=r"^[0-9]{11,18}$")]
Gln = Annotated[str, Field(pattern=r"^[0-9]{13}$")]
Sks = Annotated[str, Field(pattern=r"^[0-9A-Z]{4,10}$")]
Phone = Annotated[str, Field(pattern=r"^[+]?[0-9][-0-9]{7,14}$")]
RegionCode = Annotated[str, Field(pattern=r"^[0-9]{4}$")]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


_D = TypeVar("_D", bound="_Dated")
_K = TypeVar("_K")


class _Dated(_Entry):
    """Something that begins, and ends with the day before ``valid_to``; without dates it always was, and goes on."""

    valid_from: date | None = None
    valid_to: date | None = None

    @model_validator(mode="after")
    def _begins_first(self) -> Self:
        if self.valid_to is not None and (self.valid_from or date.min) >= self.valid_to:
            raise ValueError("valid_to is the first day on which it is no more, after valid_from")
        return self

    def has_begun(self, on: date) -> bool:
        """Returns whether it was there on a day, or before."""
        return (self.valid_from or date.min) <= on


class FileSource(_Entry):
    """Where a file comes from: as of which day, from whom, under which licence."""

    as_of: date
    source: Annotated[str, Field(min_length=1, max_length=500)]
    licence: Name


class Receiver(_Dated):
    """An organisation that receives for a municipality, or, where it names none, for itself: a unit, a practice."""

    sor: Sor
    gln: Gln
    municipality: Municipality | None = None
    name: Name
    fictional: bool = False


class Service(_Entry):
    """The service's own organisation: it answers what names no receiver, and writes to sources if it has a phone."""

    sor: Sor
    gln: Gln
    name: Name
    phone: Phone | None = None
    fictional: bool = False


class Unit(_Dated):
    """A hospital unit; ``sks`` is its department code, with which letters from before FHIR name it.

    One that is closed is known on: its stays are.
    """

    sor: Sor
    name: Name
    specialty: Specialty
    region: RegionCode | None = None
    gln: Gln | None = None
    sks: Sks | None = None
    fictional: bool = False


class MunicipalityEntry(_Entry):
    """A municipality and its region as of the file's date."""

    code: Municipality
    name: Name
    region_code: RegionCode
    region: Name


class Region(_Entry):
    """A region; ``valid_to`` is the first day on which it is no more."""

    code: RegionCode
    name: Name
    valid_from: date
    valid_to: date | None = None
    replaced_by: RegionCode | None = None


class _ReceiversFile(_Entry):
    service: Service
    receiver: tuple[Receiver, ...]


class _UnitsFile(_Entry):
    unit: tuple[Unit, ...]


class _OwnersFile(_Entry):
    default: Name
    municipalities: dict[Municipality, Name]


class _RegionsFile(_Entry):
    region: tuple[Region, ...]


class _SourcesFile(_Entry):
    file: dict[str, FileSource]


class _MunicipalitiesFile(_Entry):
    municipality: tuple[MunicipalityEntry, ...]


class Reference(_Entry):
    """All reference data; look-ups do no I/O."""

    service: Service
    receivers: tuple[Receiver, ...]
    units: tuple[Unit, ...]
    owners: dict[Municipality, Name]
    default_owner: Name
    municipalities: tuple[MunicipalityEntry, ...]
    regions: tuple[Region, ...]
    sources: dict[str, FileSource] = {}

    def municipality_of(self, sor: str, gln: str, on: date = date.max) -> str | None:
        """Returns the municipality of a receiver that has both this SOR code and this GLN, or None.

        Of several with dates it is the one that began last up to a day.
        """
        receiver = _begun(self._receivers.get((sor, gln), ()), on)
        return receiver.municipality if receiver else None

    def is_receiver(self, sor: str, gln: str) -> bool:
        """Returns whether this service takes letters for an organisation that has both this SOR code and this GLN."""
        return (sor, gln) in self._receivers or (sor, gln) == (self.service.sor, self.service.gln)

    def unit(self, sor: str, on: date = date.max) -> Unit | None:
        """Returns a unit by its SOR code, as it was on a day or when it closed; None where it is unknown."""
        return _begun(self._units.get(sor, ()), on)

    def specialty_of(self, sor: str, on: date = date.max) -> Specialty:
        """Returns a unit's specialty on a day; UNKNOWN where the unit is unknown."""
        unit = self.unit(sor, on)
        return unit.specialty if unit else Specialty.UNKNOWN

    def owner_of(self, municipality: str | None) -> str:
        """Returns the contact that owns a municipality's needs; the default one where none is set."""
        return self.owners.get(municipality, self.default_owner) if municipality else self.default_owner

    def region_of(self, municipality: str, on: date) -> str:
        """Returns the code of the region that a municipality is in on a day; LookupError where unknown."""
        return self.regions_of(municipality, on)[-1]

    def regions_of(self, municipality: str, on: date) -> list[str]:
        """Returns the codes of the regions that a municipality has been in up to a day; LookupError where unknown."""
        entry = self._municipalities.get(municipality)
        if entry is None:
            raise LookupError(f"municipalities.csv: no municipality {municipality}")
        region = self._regions[entry.region_code]
        codes = [region.code]
        while region.valid_to is not None and region.replaced_by is not None and on >= region.valid_to:
            region = self._regions[region.replaced_by]
            codes.append(region.code)
        return codes

    @cached_property
    def _receivers(self) -> dict[tuple[str, str], list[Receiver]]:
        return _by(lambda receiver: (receiver.sor, receiver.gln), self.receivers)

    @cached_property
    def _units(self) -> dict[str, list[Unit]]:
        return _by(lambda unit: unit.sor, self.units)

    @cached_property
    def _municipalities(self) -> dict[str, MunicipalityEntry]:
        return {entry.code: entry for entry in self.municipalities}

    @cached_property
    def _regions(self) -> dict[str, Region]:
        return {region.code: region for region in self.regions}


def load_reference(folder: Path) -> Reference:
    """Reads a folder's reference data; raises ReferenceDataError naming file and entry."""
    receivers = read_file(folder / "receivers.toml", _ReceiversFile, tomllib.loads)
    owners = read_file(folder / "owners.toml", _OwnersFile, tomllib.loads)
    reference = Reference(
        service=receivers.service,
        receivers=receivers.receiver,
        units=read_file(folder / "units.toml", _UnitsFile, tomllib.loads).unit,
        owners=owners.municipalities,
        default_owner=owners.default,
        municipalities=read_file(folder / "municipalities.csv", _MunicipalitiesFile, rows_of).municipality,
        regions=read_file(folder / "regions.toml", _RegionsFile, tomllib.loads).region,
        sources=read_file(folder / "sources.toml", _SourcesFile, tomllib.loads).file,
    )
    check(reference)
    return reference


def _by(key: Callable[[_D], _K], entries: Iterable[_D]) -> dict[_K, list[_D]]:
    """Returns dated entries by a key, those of one key in the order in which they began."""
    found: dict[_K, list[_D]] = {}
    for entry in sorted(entries, key=lambda one: one.valid_from or date.min):
        found.setdefault(key(entry), []).append(entry)
    return found


def _begun(entries: Sequence[_D], on: date) -> _D | None:
    return next((entry for entry in reversed(entries) if entry.has_begun(on)), None)


__all__ = ["Reference", "ReferenceDataError", "load_reference"]
