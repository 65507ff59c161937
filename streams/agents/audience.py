"""What a programme is told, in ids and times of its own, and what it says in them, in ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schemas.outputs import ANSWERS

if TYPE_CHECKING:
    from connectors.vault.pseudonyms import Alias, Pseudonyms

_IDS = ("event_id", "subject", "correlation_id")
_TIMES = ("occurred_at", "sent_at", "recorded_at", "reply_by", "first_contact_by")


def told_under(alias: Alias, fields: dict[str, Any], replied_under: Alias | None = None) -> dict[str, Any]:
    """Returns a raw handover record as it is told under an alias, in answer to a reply that came under its own."""
    times = {name: None if fields[name] is None else alias.ids.earlier(fields[name]) for name in _TIMES}
    return named_under(alias, fields, replied_under) | times


def named_under(alias: Alias, fields: dict[str, Any], replied_under: Alias | None = None) -> dict[str, Any]:
    """Returns a raw handover record with the alias's ids, its times as they are.

    A cause is named where it is the programme's own reply; any other cause is another's to know.
    """
    shown: dict[str, Any] = {name: alias.ids.shown(fields[name]) for name in _IDS}
    is_answer = fields["type"] in ANSWERS
    cause = (replied_under or alias).ids.shown(fields["causation_id"]) if is_answer else None
    return fields | shown | {"causation_id": cause, "youth_id": alias.pseudonym}


def understood_under(alias: Alias, fields: dict[str, Any]) -> dict[str, Any]:
    """Returns what came under an alias, a raw reply or a handover record, with our ids.

    Also of the reply itself: no programme learns by using another's event id whether we know that event.
    """
    ids = (name for name in (*_IDS, "causation_id") if fields[name] is not None)
    return fields | {name: alias.ids.internal(fields[name]) for name in ids} | {"youth_id": alias.youth_id}


def traced_back(pseudonyms: Pseudonyms, fields: dict[str, Any]) -> dict[str, Any] | None:
    """Returns a raw handover record with our ids of whom and what it is about, None where nobody stands behind it."""
    alias = pseudonyms.alias_under(fields["programme"], fields["youth_id"])
    return None if alias is None else understood_under(alias, fields)
