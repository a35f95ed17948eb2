"""NHS numbers and practice codes: every wrong kind is named, and another library agrees."""

import nhs_number as oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carerecords.identifiers import (
    BadNhsNumber,
    BadOdsCode,
    NhsNumberFault,
    check_digit,
    format_nhs_number,
    parse_nhs_number,
    parse_ods_code,
)


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("", NhsNumberFault.MISSING),
        ("   -  ", NhsNumberFault.MISSING),
        ("AB 12 34 56 C", NhsNumberFault.NATIONAL_INSURANCE),
        ("ab123456", NhsNumberFault.NATIONAL_INSURANCE),
        ("943476591O", NhsNumberFault.NOT_DIGITS),
        ("٩٤٣٤٧٦٥٩١٩", NhsNumberFault.NOT_DIGITS),
        ("９４３４７６５９１９", NhsNumberFault.NOT_DIGITS),
        ("943 476 591", NhsNumberFault.TOO_SHORT),
        ("943 476 5919 1", NhsNumberFault.TOO_LONG),
        ("943 476 5918", NhsNumberFault.CHECK_DIGIT),
        ("009 999 9994", NhsNumberFault.NOT_ISSUED),
        ("010 101 0109", NhsNumberFault.SCOTLAND),
        ("320 000 0015", NhsNumberFault.NORTHERN_IRELAND),
        ("512 345 6783", NhsNumberFault.NOT_ISSUED),
        ("812 345 6786", NhsNumberFault.NOT_ISSUED),
    ],
)
def test_each_wrong_kind_is_named(typed, fault):
    with pytest.raises(BadNhsNumber, match=fault.value[:20]) as raised:
        parse_nhs_number(typed)
    assert raised.value.fault is fault


@pytest.mark.parametrize(
    "typed",
    ["9434765919", "943 476 5919", "943-476-5919", " 943\u00a0476\u20095919\n", "943\u2013476\u20115919"],
)
def test_what_people_paste_is_understood(typed):
    assert parse_nhs_number(typed) == "9434765919"


@given(st.integers(0, 10**9 - 1))
def test_the_check_digit_is_that_of_another_library(nine):
    text = f"{nine:09}"
    digit = oracle.calculate_checksum(text)
    assert check_digit(text) == (None if digit == 10 else digit)


@given(st.integers(400_000_000, 499_999_999) | st.integers(600_000_000, 799_999_999))
def test_numbers_of_england_pass_and_one_wrong_digit_never_does(nine):
    digit = check_digit(str(nine))
    if digit is None:
        return
    number = f"{nine}{digit}"
    assert parse_nhs_number(format_nhs_number(number)) == number and oracle.is_valid(number)
    for place in range(10):
        wrong = f"{number[:place]}{(int(number[place]) + 1) % 10}{number[place + 1 :]}"
        with pytest.raises(BadNhsNumber):
            parse_nhs_number(wrong)


@pytest.mark.parametrize("typed", ["B81001", " b81001 "])
def test_practice_codes(typed):
    assert parse_ods_code(typed) == "B81001"


@pytest.mark.parametrize("typed", ["", "81001", "B8100", "B810011", "BB1001", "B81OO1"])
def test_what_is_no_practice_code(typed):
    with pytest.raises(BadOdsCode, match="a letter and 5 numbers"):
        parse_ods_code(typed)
