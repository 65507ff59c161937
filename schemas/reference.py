"""Reference data: receivers, units, owners, municipalities and regions, read from a folder of files.

Every file is checked whole when it is read; what is wrong is said with file and entry.
"""

from __future__ import annotations

import csv
import tomllib
from collections import Counter
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.codes import Specialty
from schemas.events import Municipality, Name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Sor = Annotated[str, Field(pattern=r"^[0-9]{11,18}$")]
Gln = Annotated[str, Field(pattern=r"^[0-9]{13}$")]
Sks = Annotated[str, Field(pattern=r"^[0-9A-Z]{4,10}$")]
Phone = Annotated[str, Field(pattern=r"^[+]?[0-9][-0-9]{7,14}$")]
RegionCode = Annotated[str, Field(pattern=r"^[0-9]{4}$")]


class ReferenceDataError(Exception):
    """Raised where a file of reference data is missing, unreadable or breaks a rule; names file and entry."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


_File = TypeVar("_File", bound=_Entry)


class Receiver(_Entry):
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


class Unit(_Entry):
    """A hospital unit; ``sks`` is its department code, with which letters from before FHIR name it."""

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

    def municipality_of(self, sor: str, gln: str) -> str | None:
        """Returns the municipality of a receiver that has both this SOR code and this GLN, or None."""
        receiver = self._receivers.get((sor, gln))
        return receiver.municipality if receiver else None

    def is_receiver(self, sor: str, gln: str) -> bool:
        """Returns whether this service takes letters for an organisation that has both this SOR code and this GLN."""
        return (sor, gln) in self._receivers or (sor, gln) == (self.service.sor, self.service.gln)

    def unit(self, sor: str) -> Unit | None:
        """Returns a unit by its SOR code, or None where it is unknown."""
        return self._units.get(sor)

    def specialty_of(self, sor: str) -> Specialty:
        """Returns a unit's specialty; UNKNOWN where the unit is unknown."""
        unit = self.unit(sor)
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
    def _receivers(self) -> dict[tuple[str, str], Receiver]:
        return {(receiver.sor, receiver.gln): receiver for receiver in self.receivers}

    @cached_property
    def _units(self) -> dict[str, Unit]:
        return {unit.sor: unit for unit in self.units}

    @cached_property
    def _municipalities(self) -> dict[str, MunicipalityEntry]:
        return {entry.code: entry for entry in self.municipalities}

    @cached_property
    def _regions(self) -> dict[str, Region]:
        return {region.code: region for region in self.regions}


def load_reference(folder: Path) -> Reference:
    """Reads a folder's reference data; raises ReferenceDataError naming file and entry."""
    receivers = _read(folder / "receivers.toml", _ReceiversFile, tomllib.loads)
    owners = _read(folder / "owners.toml", _OwnersFile, tomllib.loads)
    reference = Reference(
        service=receivers.service,
        receivers=receivers.receiver,
        units=_read(folder / "units.toml", _UnitsFile, tomllib.loads).unit,
        owners=owners.municipalities,
        default_owner=owners.default,
        municipalities=_read(folder / "municipalities.csv", _MunicipalitiesFile, _rows).municipality,
        regions=_read(folder / "regions.toml", _RegionsFile, tomllib.loads).region,
    )
    _check(reference)
    return reference


def _read(path: Path, model: type[_File], parse: Callable[[str], Any]) -> _File:
    try:
        return model.model_validate(parse(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ReferenceDataError(f"{path.name}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ReferenceDataError(f"{path.name}: {where}: {first['msg']}") from error


def _rows(text: str) -> dict[str, Any]:
    return {"municipality": list(csv.DictReader(text.splitlines()))}


def _check(reference: Reference) -> None:
    """Raises ReferenceDataError where keys repeat or one file names what another lacks."""
    _check_unique("receivers.toml: SOR", [receiver.sor for receiver in reference.receivers])
    _check_unique("units.toml: SOR", [unit.sor for unit in reference.units])
    _check_unique("units.toml: SKS", [unit.sks for unit in reference.units if unit.sks is not None])
    _check_unique("municipalities.csv: code", [entry.code for entry in reference.municipalities])
    _check_unique("regions.toml: code", [region.code for region in reference.regions])
    municipalities = {entry.code for entry in reference.municipalities}
    regions = {region.code for region in reference.regions}
    homes = {item.municipality for item in reference.receivers if item.municipality}
    _check_known("receivers.toml: municipality", homes, municipalities)
    _check_known("owners.toml: municipality", set(reference.owners), municipalities)
    _check_known("units.toml: region", {unit.region for unit in reference.units if unit.region}, regions)
    _check_known("municipalities.csv: region_code", {entry.region_code for entry in reference.municipalities}, regions)
    successors = {region.replaced_by for region in reference.regions if region.replaced_by}
    _check_known("regions.toml: replaced_by", successors, regions)
    _check_successions(reference.regions)


def _check_successions(regions: tuple[Region, ...]) -> None:
    """Raises ReferenceDataError where a successor does not begin on the day its predecessor ends."""
    starts = {region.code: region.valid_from for region in regions}
    for region in regions:
        if region.replaced_by is not None and starts[region.replaced_by] != region.valid_to:
            raise ReferenceDataError(f"regions.toml: {region.code} does not end when {region.replaced_by} begins")


def _check_unique(what: str, keys: list[str]) -> None:
    repeated = [key for key, count in Counter(keys).items() if count > 1]
    if repeated:
        raise ReferenceDataError(f"{what} {repeated[0]} stands more than once")


def _check_known(what: str, named: set[str], known: set[str]) -> None:
    if unknown := sorted(named - known):
        raise ReferenceDataError(f"{what} {unknown[0]} is unknown")
