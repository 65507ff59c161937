"""Bugs that the model has to find: each changes a line or two of the domain, as somebody might by mistake.

``seed`` is a history that finds it. ``python -m tests.model.seeding`` looks for the first of each,
and prints what is to be written here.
"""

from __future__ import annotations

from typing import NamedTuple


class Change(NamedTuple):
    """A text that stands once in a file of ``streams/domain``, and what it becomes."""

    file: str
    right: str
    wrong: str


class SeededBug(NamedTuple):
    """A bug by what it does, and the seed of a history that finds it."""

    name: str
    seed: int
    changes: tuple[Change, ...]


SEEDED_BUGS = (
    SeededBug(
        "a need with a person has no clock",
        2,
        (
            Change(
                "awaiting.py",
                'state="with_person", owner=owner, home=home, clock_at=due,',
                'state="with_person", owner=owner, home=home, clock_at=2**63 - 1,',
            ),
        ),
    ),
    SeededBug(
        "one holder is enough under joint custody",
        41,
        (
            Change(
                "consents.py", "for giver in _holders_in(one)} >= _HOLDERS", "for giver in _holders_in(one)} >= set()"
            ),
        ),
    ),
    SeededBug(
        "calendar days are counted",
        1,
        (
            Change(
                "calendar.py",
                "return date_of(day).weekday() < _SATURDAY and day not in closed",
                "return day >= 0 or day in closed",
            ),
        ),
    ),
    SeededBug(
        "nothing settles",
        1,
        (
            Change(
                "triggers.py",
                "return max(self.logged_at + settle_ms, self.not_before)",
                "return max(self.logged_at + 0 * settle_ms, self.not_before)",
            ),
            Change(
                "occasions.py",
                "until = [one.logged_at + work.catalogue.settle_ms for one",
                "until = [one.logged_at for one",
            ),
        ),
    ),
    SeededBug(
        "a replaced number is forgotten",
        8,
        (
            Change(
                "forgetting.py", "for fact in (told if told[-1].linked_to is None else told[:-1])", "for fact in told"
            ),
        ),
    ),
    SeededBug(
        "a consent's purpose doesn't bind",
        102,
        (
            Change(
                "consents.py",
                "and statement.purpose in (None, asker.kind)",
                "and (statement.receiver or statement.purpose in (None, asker.kind))",
            ),
        ),
    ),
    SeededBug(
        "a consent's receiver doesn't bind",
        40,
        (Change("consents.py", "return statement.receiver in (None, asker.programme) and", "return"),),
    ),
    SeededBug(
        "ends count over all scopes",
        159,
        (
            Change(
                "consents.py", "return end.scope == consent.scope and _covers(end, asker)", "return _covers(end, asker)"
            ),
        ),
    ),
    SeededBug(
        "anybody ends a consent", 4, (Change("consents.py", "        and _may_end(end, consent, consents)\n", ""),)
    ),
    SeededBug(
        "a day is its midnight",
        492,
        (
            Change(
                "consents.py",
                "and _latest(end) // _MINUTE_MS >= _said_at(consent)",
                "and end.occurred_at // _MINUTE_MS >= _said_at(consent)",
            ),
        ),
    ),
    SeededBug(
        "a consent never lapses",
        20,
        (Change("consents.py", "if one.occurred_at <= at < lapses_at(one)", "if one.occurred_at <= at"),),
    ),
    SeededBug(
        "a code that isn't known counts",
        18,
        (Change("chains.py", "if one.cancels is None and not one.parked:", "if one.cancels is None:"),),
    ),
    SeededBug(
        "a readmission withdraws nothing",
        24,
        (Change("under_way.py", '    elif stay is not None:\n        return "readmitted"\n', ""),),
    ),
    SeededBug(
        "a stay holds nothing back", 8, (Change("occasions.py", "if happened and stay is None:", "if happened:"),)
    ),
    SeededBug(
        "a death closes nothing",
        59,
        (
            Change(
                "needs.py",
                "    if work.derived.stays.deceased:\n",
                "    if work.derived.stays.deceased and work.is_merged:\n",
            ),
        ),
    ),
    SeededBug(
        "every trigger has a need of its own",
        1,
        (
            Change(
                "occasions.py",
                "ONE_AT_A_TIME = (NeedKind.AFTERCARE, NeedKind.PLAN)",
                "ONE_AT_A_TIME = (NeedKind.PLAN,)",
            ),
        ),
    ),
    SeededBug(
        "two handovers of a kind at once",
        32,
        (Change("work.py", "return elsewhere or any(", "return elsewhere and any("),),
    ),
    SeededBug(
        "an identity is granted without a consent",
        284,
        (
            Change(
                "replies.py",
                'return missing if missing in (None, "own_consent_wanted")',
                'return None if missing in (None, "own_consent_wanted")',
            ),
        ),
    ),
    SeededBug(
        "a disclosure names another consent",
        32,
        (Change("disclosing.py", "handover.identity, work.now)", '"anonymous", work.now)'),),
    ),
    SeededBug(
        "what goes on forgets its consent",
        360,
        (
            Change(
                "forgetting.py", "if any(need.state != CLOSED for need in", "if any(need.state == CLOSED for need in"
            ),
            Change("forgetting.py", "if any(_kept_from(fact) > horizon", "if any(fact.logged_at > horizon"),
        ),
    ),
    SeededBug(
        "a closed need keeps its handover",
        8,
        (
            Change(
                "handovers.py", "        withdraw(work, handover, told or reason)\n    need", "        pass\n    need"
            ),
        ),
    ),
    SeededBug(
        "two notices have one id",
        2,
        (
            Change(
                "work.py",
                "need = self.change(need, notices=need.notices + 1)",
                "need = self.change(need, notices=need.notices)",
            ),
        ),
    ),
    SeededBug(
        "what was withdrawn can be accepted",
        8,
        (
            Change(
                "replies.py",
                'ReplyStatus.ACCEPTED: ("offered", "waitlisted"),',
                'ReplyStatus.ACCEPTED: ("offered", "waitlisted", "withdrawn"),',
            ),
        ),
    ),
    SeededBug(
        "nobody asks for a first contact",
        2,
        (Change("handovers.py", "clock_at=due, contact_by=by", "clock_at=NEVER, contact_by=by"),),
    ),
    SeededBug(
        "what was refused is offered again",
        207,
        (
            Change(
                "needs.py",
                "    if refusal is not None and not _stands(work, need):\n",
                "    if work is None and refusal is not None:\n",
            ),
        ),
    ),
    SeededBug(
        "a later consent counts before it was given",
        75,
        (Change("consents.py", "if one.occurred_at <= at < lapses_at(one) and", "if at < lapses_at(one) and"),),
    ),
    SeededBug(
        "people hear of the dead",
        1866,
        (Change("work.py", "        if self.derived.stays.deceased:\n            return need\n", ""),),
    ),
    SeededBug(
        "no receipt of deletion is waited for",
        3,
        (
            Change(
                "handovers.py",
                "after_working_days(work.now, _DELETION_WORKING_DAYS, work.catalogue.holidays) if recalled else NEVER",
                "NEVER",
            ),
        ),
    ),
    SeededBug(
        "a move is not heeded",
        371,
        (
            Change(
                "under_way.py",
                '    if _has_moved(work, handover):\n        return "moved"\n',
                "",
            ),
        ),
    ),
    SeededBug(
        "a replaced number hears nothing",
        872,
        (Change("linking.py", "sorted(_shared_with(work)) if only is None else [only]", "list[str]()"),),
    ),
    SeededBug(
        "a stay holds a bridging back",
        30,
        (
            Change(
                "occasions.py",
                "return work.stay_going_on() if kind in ONE_AT_A_TIME else None",
                "return work.stay_going_on()",
            ),
        ),
    ),
    SeededBug(
        "a letter's correction of the time stands alone",
        151,
        (
            Change(
                "chains.py",
                "other = None if name is None or name in known else _nearest(one, statements, kind, parents)",
                "other = _nearest(one, [], kind, parents)",
            ),
        ),
    ),
    SeededBug(
        "what a person has stays with the owner where somebody lived",
        161,
        (Change("awaiting.py", " or need.home not in (None, home)", ""),),
    ),
    SeededBug(
        "a form is taken back by halves",
        683,
        (Change("needs.py", "(settled_at := _taken_back_until(work)) > work.now", "(settled_at := 0) > work.now"),),
    ),
    SeededBug(
        "one telling of an end is all that counts",
        1,
        (Change("needs.py", "*fresh, *tellings(happened)", "*fresh"),),
    ),
    SeededBug(
        "people are reminded in hospital",
        143,
        (
            Change(
                "handovers.py", "if stay_holding(work, need.kind) is not None:\n        due", "if False:\n        due"
            ),
        ),
    ),
    SeededBug(
        "what was planned is decided",
        30,
        (
            Change(
                "decided.py", "return tuple(root for root in roots if root not in only_ahead)", "return tuple(roots)"
            ),
            Change("decided.py", "trigger.is_planned or isinstance(decided, KeptElsewhere) or", "True or"),
        ),
    ),
    SeededBug(
        "a later word takes back what is taken over",
        498,
        (
            Change(
                "triggers.py",
                "yield told if steps is course[-1] else told._replace(not_before=NEVER)",
                "yield from [told] if steps is course[-1] else []",
            ),
        ),
    ),
    SeededBug(
        "an id is one course",
        301,
        (Change("chains.py", "if found and (ends(step[1]) or not ends(found[-1][-1][1])):", "if found:"),),
    ),
    SeededBug(
        "what told an end ahead is decided with it",
        822,
        (
            Change(
                "decided.py",
                "ahead = (one.ids if one.is_planned else one.foretold for one in others)",
                "ahead = (one.ids for one in others if one.is_planned)",
            ),
            Change("decided.py", "sorted(trigger.told)", "sorted(trigger.ids)"),
            Change("decided.py", "trigger.is_planned or isinstance(decided, KeptElsewhere) or", "True or"),
        ),
    ),
    SeededBug(
        "what turns out to be another end stays decided",
        980,
        (Change("decided.py", "if not before.isdisjoint(_bound(need, each)):", "if each:"),),
    ),
    SeededBug(
        "a later catalogue closes needs",
        375,
        (
            Change(
                "occasions.py",
                "(trigger.opens or raised_so or is_of_earlier)",
                "trigger.opens",
            ),
        ),
    ),
)
