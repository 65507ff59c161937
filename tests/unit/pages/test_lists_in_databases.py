"""The lists' statements work on every database that the read model may be in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.pages.case_list import CaseList
from connectors.pages.history import History
from connectors.pages.listing import Asked
from connectors.pages.names import names_of
from connectors.pages.need_list import NeedList
from connectors.pages.needs import Jurisdiction
from connectors.read_model.handovers import Scope
from connectors.read_model.projection import project
from connectors.read_model.tables import open_read_model
from connectors.vault.keys import PseudonymRoot
from connectors.vault.pseudonyms import Pseudonyms
from schemas.identifiers import derived_id
from schemas.programmes import load_programmes
from schemas.reference import load_reference
from tests.unit.gateway.prepared import ROOT
from tests.unit.read_model.builders import NOW, a_decision, a_notice, a_view, handover_id, told

pytestmark = pytest.mark.long

NAMES = names_of(load_programmes(ROOT / "programmes"), load_reference(ROOT / "reference"))
PSEUDONYMS = Pseudonyms([PseudonymRoot("k001", bytes(32))])
SEEN = Jurisdiction("Helsingør", ("0217",), without_municipality=True)


def test_needs_are_listed_counted_and_found_with_who_took_them(database: str) -> None:
    engine = open_read_model(database)
    project(engine, [a_view("one", "two", state="with_person", clock_at=NOW), a_decision(), a_notice()])
    needs = NeedList(engine, NAMES)

    listed, counts = needs.page(SEEN, Asked("helsingør 15-17", {"kind": "aftercare", "status": "mine"}))

    assert (listed.total, counts) == (2, {"mine": 2})
    assert {need.need_id: need.taken_at for need in listed.rows} == {
        str(derived_id("need", "one")): NOW,
        str(derived_id("need", "two")): None,
    }
    assert needs.municipalities(SEEN) == {"0217": "Helsingør"}
    taken = next(need for need in listed.rows if need.taken_at)
    assert [entry.what for entry in History(engine, NAMES, PSEUDONYMS).of(taken)] == ["overtog behovet"]


def test_handovers_are_listed_and_counted_by_task(database: str) -> None:
    engine = open_read_model(database)
    project(engine, [told("late", (0, 0), reply_by=NOW), told("next", (0, 1), reply_by=NOW + timedelta(days=1))])
    cases = CaseList(engine, NAMES)

    listed, counts = cases.page(Scope("headspace"), Asked("anonym"), NOW)

    assert [case.handover_id for case in listed.rows] == [handover_id("late"), handover_id("next")]
    assert counts == {"overdue": 1, "offered": 1}
    assert cases.latest(Scope("headspace")) == NOW
