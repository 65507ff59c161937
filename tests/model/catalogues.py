"""The catalogues that histories run under, and the ways in which one changes while something is under way."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import msgspec

from schemas.programmes import Catalogue
from tests.domain.catalogues import a_catalogue
from tests.model.steps import MINUTE, UNKNOWN_UNIT

_replaced = msgspec.structs.replace


@cache
def first_catalogue() -> Catalogue:
    """Returns the shipped programmes, the adviser without an end so that slots are met in every year."""
    catalogue = a_catalogue()
    adviser = _replaced(catalogue.programmes["psykinfo-adviser"], valid_to=None)
    return _replaced(catalogue, programmes=catalogue.programmes | {"psykinfo-adviser": adviser})


def changed(catalogue: Catalogue, what: str, programme: str) -> Catalogue:
    """Returns the next version, with one change."""
    return _replaced(CHANGES[what](catalogue, programme), version=catalogue.version + 1)


def _without(catalogue: Catalogue, programme: str) -> Catalogue:
    return _replaced(
        catalogue, programmes={name: one for name, one in catalogue.programmes.items() if name != programme}
    )


def _back(catalogue: Catalogue, programme: str) -> Catalogue:
    return _replaced(catalogue, programmes=catalogue.programmes | {programme: first_catalogue().programmes[programme]})


def _older(catalogue: Catalogue, programme: str) -> Catalogue:
    return _with(catalogue, programme, lowest_age=18)


def _named_only(catalogue: Catalogue, programme: str) -> Catalogue:
    return _with(catalogue, programme, identity=("named",))


def _fewer_triggers(catalogue: Catalogue, programme: str) -> Catalogue:
    return _with(catalogue, programme, triggers=("bridging",))


def _slower(catalogue: Catalogue, programme: str) -> Catalogue:
    return _with(catalogue, programme, remind_working_days=3, reply_working_days=5, first_contact_days=14)


def _elsewhere(catalogue: Catalogue, programme: str) -> Catalogue:
    return _with(catalogue, programme, sites={"0101": "koebenhavn"})


def _with(catalogue: Catalogue, programme: str, **changes: object) -> Catalogue:
    if programme not in catalogue.programmes:
        return catalogue
    one = _replaced(catalogue.programmes[programme], **changes)
    return _replaced(catalogue, programmes=catalogue.programmes | {programme: one})


def _settle_longer(catalogue: Catalogue, programme: str) -> Catalogue:
    return _replaced(catalogue, settle_ms=45 * MINUTE)


def _settle_shorter(catalogue: Catalogue, programme: str) -> Catalogue:
    return _replaced(catalogue, settle_ms=5 * MINUTE)


def _unit_known(catalogue: Catalogue, programme: str) -> Catalogue:
    return _replaced(catalogue, units=catalogue.units | {UNKNOWN_UNIT: "child_psychiatry"})


def _unit_somatic(catalogue: Catalogue, programme: str) -> Catalogue:
    return _replaced(catalogue, units=catalogue.units | {UNKNOWN_UNIT: "somatic"})


def _owners_gone(catalogue: Catalogue, programme: str) -> Catalogue:
    return _replaced(catalogue, owners={})


CHANGES: dict[str, Callable[[Catalogue, str], Catalogue]] = {
    "without": _without,
    "back": _back,
    "older": _older,
    "named_only": _named_only,
    "fewer_triggers": _fewer_triggers,
    "slower": _slower,
    "elsewhere": _elsewhere,
    "settle_longer": _settle_longer,
    "settle_shorter": _settle_shorter,
    "unit_known": _unit_known,
    "unit_somatic": _unit_somatic,
    "owners_gone": _owners_gone,
}
