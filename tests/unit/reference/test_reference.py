"""The reference data that ships is whole, and what is wrong in a file is said with file and entry."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from schemas.codes import Specialty
from schemas.programmes import load_programmes
from schemas.reference import Reference, ReferenceDataError, Unit, load_reference
from schemas.reference_checks import check
from streams.catalogue import Rules, compile_catalogue

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "reference"


@pytest.fixture(scope="module")
def reference() -> Reference:
    return load_reference(FOLDER)


def test_all_98_municipalities_are_in_one_of_five_regions(reference: Reference) -> None:
    regions = {reference.region_of(entry.code, date(2026, 12, 31)) for entry in reference.municipalities}

    assert len(reference.municipalities) == 98
    assert regions == {"1081", "1082", "1083", "1084", "1085"}


@pytest.mark.parametrize(
    ("municipality", "before", "after"),
    [
        ("0101", "1084", "1086"),
        ("0217", "1084", "1086"),
        ("0360", "1085", "1086"),
        ("0751", "1082", "1082"),
    ],
)
def test_hovedstaden_and_sjaelland_become_oestdanmark_in_2027(
    reference: Reference,
    municipality: str,
    before: str,
    after: str,
) -> None:
    assert reference.region_of(municipality, date(2026, 12, 31)) == before
    assert reference.region_of(municipality, date(2027, 1, 1)) == after


@pytest.mark.parametrize("day", [date(2026, 12, 31), date(2027, 1, 1), date(2030, 1, 1)])
def test_a_programme_of_a_region_that_is_no_more_keeps_its_municipalities(reference: Reference, day: date) -> None:
    files = load_programmes(ROOT / "programmes")
    compiled = compile_catalogue(1, files, reference, day, Rules(timedelta(minutes=15)))

    assert {"0101", "0175", "0217"} <= set(compiled.programmes["unik-recovery-young"].sites)
    assert not {"0360", "0751"} & set(compiled.programmes["unik-recovery-young"].sites)


def test_a_unit_that_was_named_by_its_department_code_is_known_once_reference_data_has_it(reference: Reference) -> None:
    compiled = compile_catalogue(1, (), reference, date(2026, 1, 1), Rules(timedelta(minutes=15)))

    assert compiled.units["sks:9984101"] == compiled.units["9991084000016101"] == "child_psychiatry"


def test_a_receiver_is_known_by_sor_and_gln_together(reference: Reference) -> None:
    assert reference.municipality_of("953741000016009", "5790001348120") == "0163"
    assert reference.municipality_of("953741000016009", "5790000209354") is None
    assert reference.municipality_of("123451000016009", "5790001348120") is None


@pytest.mark.parametrize("municipality", ["0101", "0175", "0217", "0360", "0751"])
def test_every_municipality_of_the_cases_has_a_receiver_and_an_owner(reference: Reference, municipality: str) -> None:
    assert municipality in {receiver.municipality for receiver in reference.receivers}
    assert reference.owner_of(municipality) == f"municipality-{municipality}"


def test_a_municipality_without_an_owner_is_the_default_owners(reference: Reference) -> None:
    assert reference.owner_of("0999") == reference.owner_of(None) == "operations"


def test_units_have_their_specialty_and_unknown_units_none(reference: Reference) -> None:
    assert reference.specialty_of("265161000016000") is Specialty.SOMATIC
    assert reference.specialty_of("9991084000016101") is Specialty.CHILD_PSYCHIATRY
    assert reference.specialty_of("123451000016000") is Specialty.UNKNOWN


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("receivers.toml", 'municipality = "0101"', 'municipality = "0999"', "municipality 0999 is unknown"),
        ("receivers.toml", 'municipality = "0101"', 'kommune = "0101"', "receivers.toml: receiver"),
        (
            "units.toml",
            "9991084000016101",
            "9991084000016102",
            "units.toml: SOR 9991084000016102 stands more than once",
        ),
        (
            "units.toml",
            'sor = "9991084000016101"',
            'valid_from = 2026-01-01\nvalid_to = 2025-01-01\nsor = "9991084000016101"',
            "valid_to is the first day on which it is no more",
        ),
        ("sources.toml", '[file."units.toml"]', '[file."unit.toml"]', "unit.toml is unknown"),
        ("sources.toml", "as_of = 2026-01-01\n", "", "sources.toml: file.municipalities.csv.as_of"),
        (
            "regions.toml",
            "valid_from = 2007-01-01\nvalid_to",
            "valid_from = 2027-01-01\nvalid_to",
            "ends before it begins",
        ),
        ("units.toml", '"child_psychiatry"', '"children"', "units.toml: unit"),
        ("owners.toml", "[municipalities]", "[municipalities", "owners.toml: "),
        ("regions.toml", "valid_to = 2027-01-01", "valid_to = 2028-01-01", "does not end when 1086 begins"),
        ("municipalities.csv", "0101,København,1084", "0101,København,1099", "region_code 1099 is unknown"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_file(tmp_path: Path, file: str, old: str, new: str, message: str) -> None:
    folder = tmp_path / "reference"
    shutil.copytree(FOLDER, folder)
    content = (folder / file).read_text(encoding="utf-8")
    (folder / file).write_text(content.replace(old, new), encoding="utf-8")

    with pytest.raises(ReferenceDataError, match=message):
        load_reference(folder)


def test_a_missing_file_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ReferenceDataError, match=r"receivers\.toml"):
        load_reference(tmp_path)


def test_a_file_without_a_source_is_refused_by_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "reference"
    shutil.copytree(FOLDER, folder)
    content = (folder / "sources.toml").read_text(encoding="utf-8")
    (folder / "sources.toml").write_text(content.partition('[file."owners.toml"]')[0], encoding="utf-8")

    with pytest.raises(ReferenceDataError, match=r"no source of owners\.toml"):
        load_reference(folder)


def with_unit(reference: Reference, *periods: tuple[date | None, date | None, Specialty]) -> Reference:
    """Returns reference data in which a unit has had several specialties, each in its time."""
    units = tuple(
        Unit(sor="9990000000099999", name="Afdeling", specialty=specialty, valid_from=begins, valid_to=ends)
        for begins, ends, specialty in periods
    )
    changed = reference.model_copy(update={"units": (*reference.units, *units)})
    check(changed)
    return Reference.model_validate(changed.model_dump())


def test_a_unit_is_what_it_was_on_the_day_and_known_on_after_it_closed(reference: Reference) -> None:
    adult, child = Specialty.ADULT_PSYCHIATRY, Specialty.CHILD_PSYCHIATRY
    changed = with_unit(reference, (None, date(2026, 1, 1), adult), (date(2026, 1, 1), date(2026, 6, 1), child))

    found = [
        changed.specialty_of("9990000000099999", on)
        for on in (date(2025, 12, 31), date(2026, 1, 1), date(2026, 5, 31), date(2026, 6, 1))
    ]

    assert found == [adult, child, child, child]
    assert changed.specialty_of("9990000000099999") is child


def test_a_unit_that_has_not_begun_is_unknown_until_then(reference: Reference) -> None:
    changed = with_unit(reference, (date(2027, 1, 1), None, Specialty.SOMATIC))

    assert changed.unit("9990000000099999", date(2026, 12, 31)) is None
    assert changed.unit("9990000000099999", date(2027, 1, 1)) is not None


@pytest.mark.parametrize(
    "second", [(None, None), (date(2025, 12, 31), None), (None, date(2025, 1, 1)), (date(2020, 1, 1), date(2020, 1, 2))]
)
def test_a_unit_twice_on_one_day_is_refused(reference: Reference, second: tuple[date | None, date | None]) -> None:
    with pytest.raises(ReferenceDataError, match="dates that overlap"):
        with_unit(reference, (None, date(2026, 1, 1), Specialty.SOMATIC), (*second, Specialty.SOMATIC))
