"""The names of programmes, sites, municipalities and owners, as people know them."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.programmes import ProgrammeFile
    from schemas.reference import Reference, Service

_OPERATIONS = "Driften"


@dataclass(frozen=True, slots=True)
class Names:
    """What is behind each id; an unknown one is shown as it is. ``receiving`` are the programmes that get offers.

    ``contact`` says who runs the service, and on which telephone they are reached.
    """

    programmes: dict[str, str]
    receiving: dict[str, str]
    sites: dict[str, dict[str, str]]
    municipalities: dict[str, str]
    owners: dict[str, str]
    owner_of: dict[str, str]
    default_owner: str
    contact: str
    sources: dict[str, str]

    def programme(self, programme_id: str | None) -> str:
        """Returns a programme's name."""
        return self.programmes.get(programme_id or "", programme_id or "")

    def site(self, programme_id: str, site_id: str | None) -> str:
        """Returns the name of a programme's site; a municipality's where it receives itself."""
        known = self.sites.get(programme_id, {})
        return known.get(site_id or "", self.municipality(site_id) if site_id else "")

    def municipality(self, code: str | None) -> str:
        """Returns a municipality's name."""
        return self.municipalities.get(code or "", code or "ukendt")

    def owner(self, name: str | None) -> str:
        """Returns who an owner is, in words."""
        return self.party(name) or "ingen"

    def party(self, name: str | None) -> str:
        """Returns who it is that was told or did something, in words: an owner, a programme or a source."""
        known = (self.owners, self.programmes, self.sources)
        return next((names[name] for names in known if name in names), name or "")


def names_of(programmes: Sequence[ProgrammeFile], reference: Reference) -> Names:
    """Returns the names that the programme files and the reference data give."""
    municipalities = {entry.code: entry.name for entry in reference.municipalities}
    owners = {owner: f"{municipalities[code]} Kommune" for code, owner in reference.owners.items()}
    return Names(
        programmes={one.id: one.name for one in programmes},
        receiving={one.id: one.name for one in programmes if one.receives_handovers},
        sites={one.id: {site.id: site.name for site in one.sites} for one in programmes},
        municipalities=municipalities,
        owners={reference.default_owner: _OPERATIONS} | owners,
        owner_of=dict(reference.owners),
        default_owner=reference.default_owner,
        contact=_contact_of(reference.service),
        sources={_slug(region.name): region.name for region in reference.regions},
    )


def _slug(name: str) -> str:
    """Returns the id under which a region sends, by the same rule as every id: small letters and hyphens.

    >>> _slug("Region Sjælland")
    'region-sjaelland'
    """
    spelt = name.casefold().replace("æ", "ae").replace("ø", "oe").replace("å", "aa")
    return "-".join(spelt.split())


def _contact_of(service: Service) -> str:
    if service.phone is None:
        return service.name
    phone = service.phone.removeprefix("+45").replace("-", "")
    return f"{service.name}, telefon {' '.join(wrap(phone, 2))}"
