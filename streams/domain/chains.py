"""Revise and cancel chains: which statements of a set stand.

Everything here is a function of the set of facts: no arrival order, no log time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from schemas.pathway import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence


class _Statement(Protocol):
    @property
    def event_id(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def occurred_at(self) -> int: ...
    @property
    def sent_at(self) -> int: ...
    @property
    def revises(self) -> str | None: ...
    @property
    def cancels(self) -> str | None: ...
    @property
    def parked(self) -> bool: ...


S = TypeVar("S", bound=_Statement)
#: A chain that stands: its root, what it says now, and all of it.
Standing = tuple[str, S, "Sequence[S]"]


def standing(statements: Sequence[S]) -> list[Standing[S]]:
    """Returns (root, what now stands, the whole chain) of every chain that no cancel voids.

    A cancel voids the step it names with all its revisions, also where it arrives before them. Where two
    revise the same, the one sent last stands. A source corrects its own statements alone: what it says of
    another's stands by itself, and its cancel of another's does nothing. A parked statement holds its chain
    together and says nothing: what it would revise or cancel stands.
    """
    if not any(one.revises is not None or one.cancels is not None or one.parked for one in statements):
        return [(one.event_id, one, (one,)) for one in statements]
    source_of = {one.event_id: one.source for one in statements}
    parents = {one.event_id: one.revises for one in statements if one.revises and _may(one, one.revises, source_of)}
    chains: dict[str, list[S]] = {}
    for one in statements:
        if one.cancels is None and not one.parked:
            chains.setdefault(_root(one.event_id, parents), []).append(one)
    cancels = (one for one in statements if not one.parked)
    voided = {_root(one.cancels, parents) for one in cancels if one.cancels and _may(one, one.cancels, source_of)}
    return [(root, _last(chain, parents), chain) for root, chain in chains.items() if root not in voided]


def linked_by_likeness(statements: Sequence[S], kind: Callable[[S], object]) -> tuple[Sequence[S], dict[str, str]]:
    """Returns the statements with each that names no known one linked to the one that it is about.

    A letter before FHIR names what it corrects by the time that it tells, which may be what it corrects: it is about
    the one of its kind, sent before, that is nearest in time and doesn't itself revise it. Also returns which id each
    revision had named.
    """
    if not any(one.revises or one.cancels for one in statements):
        return statements, {}
    known = {one.event_id for one in statements}
    parents = {one.event_id: one.revises for one in statements if one.revises is not None}
    change: Callable[..., S] = replace
    meant: dict[str, S] = {}
    named: dict[str, str] = {}
    for one in sorted(statements, key=_sent):
        name = one.revises or one.cancels
        other = None if name is None or name in known else _nearest(one, statements, kind, parents)
        if other is not None and one.cancels is not None:
            meant[one.event_id] = change(one, cancels=other)
        elif other is not None:
            meant[one.event_id] = change(one, revises=other)
            parents[one.event_id], named[one.event_id] = other, str(name)
    return [meant.get(one.event_id, one) for one in statements], named


def spells(
    statements: Sequence[S],
    name: Callable[[S], Hashable],
    position: Callable[[Standing[S]], tuple[int, int, str]],
    ends: Callable[[S], bool],
) -> list[list[list[Standing[S]]]]:
    """Returns what stands, by what it is about, in order, and split where that goes on after an end.

    An id is no course: systems and lists use one again where somebody is enrolled, or referred, once more. Each time
    has an end of its own.
    """
    named: dict[Hashable, list[Standing[S]]] = {}
    for step in standing(statements):
        named.setdefault(name(step[1]), []).append(step)
    return [_split(sorted(steps, key=position), ends) for steps in named.values()]


def _split(steps: Sequence[Standing[S]], ends: Callable[[S], bool]) -> list[list[Standing[S]]]:
    found: list[list[Standing[S]]] = []
    for step in steps:
        if found and (ends(step[1]) or not ends(found[-1][-1][1])):
            found[-1].append(step)
        else:
            found.append([step])
    return found


def _sent(one: _Statement) -> tuple[int, bool, str]:
    """Returns the place of a statement among those of its source; one that revises comes after what it revises."""
    return one.sent_at, one.revises is not None, one.event_id


def _nearest(one: S, statements: Sequence[S], kind: Callable[[S], object], parents: Mapping[str, str]) -> str | None:
    before = (one.sent_at, True, one.event_id)
    said = (other for other in statements if other.cancels is None and not other.parked and _sent(other) < before)
    # What itself revises one, directly or through others, is never what one is about.
    alike = [
        other for other in said if kind(other) == kind(one) and one.event_id not in _ancestors(other.event_id, parents)
    ]
    distances = [(abs(other.occurred_at - one.occurred_at), -other.sent_at, other.event_id) for other in alike]
    return min(distances)[2] if distances else None


def _may(one: _Statement, other: str, source_of: dict[str, str]) -> bool:
    """Tells whether a statement may correct another, which may be unknown yet."""
    return source_of.get(other, one.source) == one.source


def _root(event_id: str, parents: Mapping[str, str]) -> str:
    met = set()
    while event_id in parents and event_id not in met:
        met.add(event_id)
        event_id = parents[event_id]
    return min(met) if event_id in met else event_id


def _last(chain: Sequence[S], parents: Mapping[str, str]) -> S:
    if len(chain) == 1:
        return chain[0]
    revised = {ancestor for one in chain for ancestor in _ancestors(one.event_id, parents)}
    leaves = [one for one in chain if one.event_id not in revised] or chain
    return max(leaves, key=lambda one: (one.sent_at, one.event_id))


def _ancestors(event_id: str, parents: Mapping[str, str]) -> set[str]:
    """Returns what a statement revises, directly or through others, parked ones among them."""
    met: set[str] = set()
    while (event_id := parents.get(event_id, "")) and event_id not in met:
        met.add(event_id)
    return met
