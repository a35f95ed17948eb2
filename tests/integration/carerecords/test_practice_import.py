"""The national list: loaded whole or not at all, and again without change."""

import datetime
import io

import pytest
from django.core.management import CommandError, call_command

from carerecords.management.commands.import_practices import NATIONAL_LIST
from carerecords.models import FactClock, Practice
from carerecords.practice_import import BadPracticeFile, Imported, import_practices
from tests.factories import make_practice

pytestmark = pytest.mark.django_db

HEADING = "ods_code,name,address,postcode,region_code,region_name,icb_code,sub_icb_code,status,list_size\n"
GOOD = 'A81001,THE DENSHAM SURGERY,"LAWSON STREET, STOCKTON",TS18 1HU,Y63,North East,QHM,16C,active,4100\n'
OTHER = GOOD.replace("A81001", "A81002")


def load(*lines):
    return import_practices(io.StringIO("".join(lines)))


def problems_of(*lines):
    with pytest.raises(BadPracticeFile) as refused:
        load(*lines)
    assert not Practice.objects.exists()
    return refused.value.problems


def test_the_national_list_twice(capsys):
    call_command("import_practices")
    Practice.objects.filter(ods_code="A81001").update(goes_live_on=datetime.date(2027, 3, 1))
    call_command("import_practices")
    assert capsys.readouterr().out.splitlines() == [
        "Practices: 6,658 new, 0 changed, 0 the same.",
        "Practices: 0 new, 0 changed, 6,658 the same.",
    ]
    assert sum(Practice.objects.values_list("list_size", flat=True)) == 60_606_345
    assert Practice.objects.get(ods_code="A81001").goes_live_on == datetime.date(2027, 3, 1)


def test_a_changed_row_changes_that_row_alone():
    load(HEADING, GOOD, OTHER)
    kept = Practice.objects.get(ods_code="A81001")
    before = FactClock.objects.get(scope=0).number
    result = load(HEADING, GOOD.replace("QHM", "QOP"), OTHER, GOOD.replace("A81001", "A81003"))
    assert result == Imported(new=1, changed=1, same=1)
    changed = Practice.objects.get(ods_code="A81001")
    assert (changed.icb_code, changed.name) == ("QOP", "The Densham Surgery")
    assert Practice.objects.get(ods_code="A81001").pk == kept.pk
    assert FactClock.objects.get(scope=0).number > before, "held jobs are asked again"


def test_practices_that_the_file_leaves_out_stay():
    made = make_practice()
    load(HEADING, GOOD)
    assert Practice.objects.filter(pk=made.pk).exists()


def test_a_heading_without_a_column_is_refused():
    heading = HEADING.replace("icb_code,", "", 1)
    assert problems_of(heading, GOOD) == ["Row 1: the heading lacks icb_code"]


@pytest.mark.parametrize(
    ("good", "bad", "problem"),
    [
        ("A81002", "A8100", "ods_code is 'A8100'"),
        ("A81002", "A81001", "A81001 stands in row 2 already"),
        ("TS18 1HU", "TS181HU", "postcode is 'TS181HU'"),
        ("THE DENSHAM SURGERY", "", "name is empty"),
        ("THE DENSHAM SURGERY", "X" * 101, "name is longer than 100 characters"),
        ("THE DENSHAM SURGERY", "a\0b", "name has a character that cannot be printed"),
        ("active", "open", "status must be active, closed or dormant"),
        ("4100", "-1", "list_size must be a whole number of patients"),
        ("4100", "４１００", "list_size must be a whole number of patients"),
        (",4100", "", "has too few or too many fields"),
        ("4100", "4100,1", "has too few or too many fields"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_written(good, bad, problem):
    (found,) = problems_of(HEADING, GOOD, OTHER.replace(good, bad))
    assert found.startswith(f"Row 3: {problem}")


def test_every_bad_row_is_named_up_to_twenty():
    assert len(problems_of(HEADING, *["nonsense\n"] * 50)) == 20


def test_an_empty_file_is_refused():
    assert problems_of(HEADING) == ["The file has no practices"]
    assert problems_of("")[0].startswith("Row 1: the heading lacks ods_code")


def test_a_file_that_is_not_utf8_is_refused(tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes((HEADING + GOOD).encode() + b"\xff\xfe\x00")
    with pytest.raises(CommandError, match="not UTF-8"):
        call_command("import_practices", path)
    assert not Practice.objects.exists()


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("import_practices", tmp_path / "none.csv")


def test_the_list_names_its_sources():
    readme = (NATIONAL_LIST.parent / "README.md").read_text()
    for source in ("epraccur", "Patients Registered at a GP Practice", "Open Government Licence v3.0"):
        assert source in readme
