"""Histories that the model once found a fault by, cut to the steps that do it: they break no rule any more."""

from __future__ import annotations

import pytest

from tests.model.simulation import run
from tests.model.steps import Act, Answer, Change, History, Told, at

FOUND = {
    "after a receipt of deletion nothing leaves between two withdrawals either": History(
        (
            Told(at("2022-11-04 23:08"), "Person", "person-1", {"municipality": "0101", "birth_date": 14960}),
            Told(at("2022-12-15 00:08"), "Enrolment", "ended-13", {"status": "dropped_out"}),
            Told(at("2022-12-18 00:00"), "Consent", "consent-10"),
            Told(
                at("2022-12-18 02:09"),
                "Consent",
                "consent-11",
                {"given_by": ("custody_holder", "other_custody_holder"), "scope": "named", "custody": "joint"},
            ),
            Told(at("2022-12-19 02:09"), "Consent", "consent-12", {"decision": "withdrawn"}),
            Answer(at("2022-12-19 02:09"), "reply-21", "headspace", "recalled_and_deleted"),
        ),
    ),
    "an act is done on the need that got its id back": History(
        (
            Told(at("2021-10-27 16:21"), "Person", "person-1", {"municipality": "0217", "birth_date": 13489}),
            Told(at("2021-12-06 14:21"), "Consent", "consent-6"),
            Told(
                at("2021-12-07 16:31"),
                "Discharge",
                "plan-moved-16",
                {"status": "discharge_planned", "planned_at": at("2021-12-20 16:31")},
            ),
            Told(
                at("2021-12-07 17:31"),
                "Discharge",
                "slhj-18",
                {"status": "discharged_home", "episode_id": "episode-12"},
            ),
            Answer(at("2021-12-08 17:31"), "reply-20", "ungevaerftet", "code_claimed"),
            Answer(
                at("2021-12-09 17:23"),
                "odd-9",
                "ungevaerftet",
                "ended",
                fields={"side": "programme", "reason_code": "no_capacity"},
            ),
            Act(at("2021-12-11 16:31"), "act-17", "closed", back=1, fields={"reason_code": "moved_abroad"}),
        ),
    ),
    "a plan that has come is no telling of a later end": History(
        (
            Told(at("2027-01-16 15:21"), "Discharge", "slor-25", {"episode_id": "episode-22"}),
            Told(
                at("2027-01-17 00:00"),
                "Discharge",
                "slhj-27",
                {"status": "discharged_home", "episode_id": "episode-22"},
            ),
            Told(
                at("2027-01-17 09:21"),
                "Discharge",
                "plan-moved-7",
                {"episode_id": "episode-2", "status": "discharge_planned", "planned_at": at("2027-01-23 00:00")},
            ),
            Told(
                at("2027-01-17 10:21"), "Discharge", "slhj-10", {"status": "discharged_home", "episode_id": "episode-2"}
            ),
            Act(at("2027-01-17 10:51"), "act-37", "closed", fields={"reason_code": "moved_abroad"}),
            Told(
                at("2027-01-18 00:00"),
                "Discharge",
                "an-slhj-38",
                {"occurred_at": at("2027-01-17 00:00"), "cancels": "slhj-27"},
            ),
            Told(at("2027-01-18 10:21"), "Discharge", "again-40", {"episode_id": "episode-39"}),
            Told(
                at("2027-01-18 14:21"),
                "Discharge",
                "again-home-41",
                {"status": "discharged_home", "episode_id": "episode-39"},
            ),
        ),
    ),
    "what a need is about changes once": History(
        (
            Told(
                at("2023-11-28 12:17"), "Enrolment", "corrected-11", {"programme": "opus-young", "status": "completed"}
            ),
            Change(at("2023-11-29 23:36:52.172"), "without", "unik-recovery-young"),
            Told(at("2023-12-23 12:17"), "Discharge", "step-36", {"status": "discharged_home"}),
        ),
    ),
    "a person's offer is about no other course's plan": History(
        (
            Told(at("2026-02-20 08:54"), "Person", "person-1", {"birth_date": 15274}),
            Told(
                at("2026-04-01 08:54"),
                "Consent",
                "consent-4",
                {"given_by": ("custody_holder", "other_custody_holder"), "scope": "named", "custody": "joint"},
            ),
            Told(
                at("2026-04-01 09:54"),
                "Enrolment",
                "active-3",
                {"occurred_at": at("2024-04-11 09:54"), "status_at": at("2024-04-11 09:54"), "programme": "opus-young"},
            ),
            Told(
                at("2026-04-21 09:54"),
                "Enrolment",
                "active-27",
                {"occurred_at": at("2025-06-25 09:54"), "subject": "course-26"},
            ),
            Told(at("2026-04-21 10:54"), "Enrolment", "ended-29", {"status": "dropped_out", "subject": "course-26"}),
            Told(at("2026-04-21 11:54"), "Enrolment", "corrected-36", {"cancels": "ended-29"}),
            Act(at("2026-04-22 09:54"), "act-24", "offered", fields={"programme": "headspace"}),
        ),
    ),
    "the next end of a stay with a plan is another than the one that was taken back": History(
        (
            Told(at("2022-03-01 14:37"), "Person", "person-1", {"municipality": "0101", "birth_date": 14710}),
            Told(at("2022-03-21 14:37"), "Discharge", "stin-3", {"episode_id": "episode-2"}),
            Told(
                at("2022-04-10 15:37"),
                "Discharge",
                "plan-4",
                {
                    "status": "discharge_planned",
                    "planned_at": at("2022-04-11 15:37"),
                    "episode_id": "episode-2",
                },
            ),
            Told(
                at("2022-04-11 00:00"),
                "Discharge",
                "slhj-7",
                {"status": "discharged_home", "episode_id": "episode-2"},
            ),
            Told(at("2022-04-11 14:37"), "Consent", "consent-8"),
            Answer(at("2022-04-11 17:40"), "odd-14", "headspace", "code_claimed"),
            Answer(at("2022-04-11 20:38"), "reply-18", "headspace", "fulfilled"),
            Told(
                at("2022-04-20 00:00"),
                "Discharge",
                "an-slhj-20",
                {"occurred_at": at("2022-04-11 00:00"), "cancels": "slhj-7", "episode_id": "episode-2"},
            ),
            Told(at("2023-05-25 17:37"), "Discharge", "beside-24", {"episode_id": "episode-23"}),
            Told(
                at("2023-05-26 16:37"),
                "Discharge",
                "beside-home-25",
                {"status": "discharged_home", "episode_id": "episode-23"},
            ),
        ),
    ),
    "a plan's need goes on with no end that was decided beside it": History(
        (
            Told(at("2026-08-27 10:16"), "Person", "person-1", {"municipality": "0101", "birth_date": 14706}),
            Told(at("2026-10-04 10:16"), "Discharge", "stin-13", {"episode_id": "episode-12"}),
            Told(
                at("2026-10-06 10:16"),
                "Discharge",
                "plan-14",
                {
                    "status": "discharge_planned",
                    "planned_at": at("2026-10-11 10:16"),
                    "episode_id": "episode-12",
                },
            ),
            Told(at("2026-10-06 10:16"), "Discharge", "slhj-4", {"status": "discharged_home"}),
            Told(at("2026-10-06 13:16"), "Consent", "consent-5"),
            Told(at("2026-10-22 17:31:03.274"), "Discharge", "step-40", {"status": "discharged_home"}),
            Answer(
                at("2026-10-22 18:31:03.274"),
                "declined-43",
                "headspace",
                "declined",
                fields={"side": "young_person"},
            ),
            Told(
                at("2026-10-22 19:31:03.274"),
                "Discharge",
                "home-again-41",
                {
                    "status": "discharged_home",
                    "episode_id": "unnumbered",
                    "occurred_at": at("2026-10-22 17:31:03.274"),
                },
            ),
        ),
    ),
    "what waits is an occasion as soon as what it waited for has ended": History(
        (
            Told(at("2026-04-25 09:10"), "Person", "person-1", {"municipality": "0217", "birth_date": 15041}),
            Told(at("2026-05-30 09:10"), "Referral", "referred-3", {"subject": "referral-2"}),
            Told(at("2026-06-04 08:10"), "Consent", "consent-6", {"decision": "withdrawn"}),
            Told(at("2026-06-04 09:10"), "Referral", "visited-4", {"decision": "rejected", "subject": "referral-2"}),
            Told(at("2026-07-29 09:10"), "Referral", "referred-11", {"subject": "referral-10"}),
            Told(at("2026-07-29 09:10"), "Referral", "referred-52", {"subject": "referral-51"}),
            Told(at("2026-08-02 09:10"), "Consent", "consent-54"),
            Told(
                at("2026-08-03 09:10"),
                "Referral",
                "visited-12",
                {"decision": "rejected", "subject": "referral-10"},
            ),
            Answer(at("2026-08-03 11:10"), "reply-14", "ungevaerftet", "accepted"),
            Told(
                at("2026-08-05 09:10"),
                "Referral",
                "visited-53",
                {"occurred_at": at("2026-08-03 09:10"), "decision": "rejected", "subject": "referral-51"},
            ),
            Told(
                at("2026-08-05 11:10"),
                "Referral",
                "corrected-50",
                {"occurred_at": at("2026-08-03 11:10"), "cancels": "visited-12"},
            ),
        ),
    ),
    "an end of the moment of the decided one may be another, too": History(
        (
            Told(at("2025-07-12 13:27"), "Person", "person-1", {"municipality": "0101", "birth_date": 14875}),
            Told(at("2025-08-21 13:27"), "Referral", "visited-4", {"decision": "rejected", "subject": "referral-2"}),
            Told(at("2025-10-24 13:27"), "Consent", "consent-47"),
            Told(
                at("2025-10-25 13:27"),
                "Discharge",
                "slhj-46",
                {"status": "discharged_home", "episode_id": "episode-44"},
            ),
            Answer(at("2025-10-25 14:37"), "odd-50", "headspace", "declined", fields={"side": "young_person"}),
            Told(
                at("2025-10-27 12:27"),
                "Referral",
                "ended-again-23",
                {
                    "occurred_at": at("2025-10-25 13:27"),
                    "status_at": at("2025-10-25 13:27"),
                    "subject": "referral-2",
                    "decision": "rejected",
                },
            ),
            Told(
                at("2025-11-04 12:27"),
                "Referral",
                "again-22",
                {
                    "occurred_at": at("2025-08-26 13:27"),
                    "status_at": at("2025-08-26 13:27"),
                    "subject": "referral-2",
                },
            ),
        ),
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_once_breaks_no_rule(name: str) -> None:
    assert run(FOUND[name]).violations == ()
