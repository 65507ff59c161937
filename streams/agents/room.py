"""How much room a pathway has: no source fills it, and what takes something back always has some left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schemas.codes import ConsentDecision, StayStatus
from schemas.facts import FACT_NAMES
from schemas.pathway import PATHWAY_BYTES_MAX, fact_bytes_of
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.pathway import Pathway

_ENDS = (ConsentDecision.REFUSED, ConsentDecision.WITHDRAWN)


def require_room(name: str, event: Mapping[str, Any], pathway: Pathway, size: int) -> None:
    """Raises RefusedError where a pathway as it would be has no room for what was folded into it.

    ``size`` is its stored bytes. All facts have three quarters of the room, and those of one source a quarter. What
    takes something back (an end of a consent, a death, a cancellation, a link between numbers) has all of it, of one
    source an eighth more. So has what is no fact: a person's act, a reply, what another number tells, a deadline.
    """
    room, source = PATHWAY_BYTES_MAX, event["source"]
    is_fact = name in FACT_NAMES
    plain = is_fact and not _takes_back(event)
    if size > (room * 3 // 4 if plain else room):
        raise _refused(f"a pathway holds at most {room // 1024} KiB of facts, a quarter of it for what takes back")
    of_source_max = room // 4 if plain else room * 3 // 8
    if is_fact and size > room // 4 and fact_bytes_of(pathway, source) > of_source_max:
        raise _refused(f"a source has at most {of_source_max // 1024} KiB of facts in a pathway")


def _takes_back(event: Mapping[str, Any]) -> bool:
    """Tells whether a statement ends, cancels or parts something, or has an end under one number reach another."""
    named = any(event.get(name) is not None for name in ("cancels", "linked_to", "unlinked_from"))
    return named or event.get("decision") in _ENDS or event.get("status") == StayStatus.DECEASED


def _refused(rule: str) -> RefusedError:
    return RefusedError(Refusal("pathway_full", "value", rule, "ask operations to look at this young person"))
