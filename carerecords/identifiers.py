"""NHS numbers, ODS codes and GMC numbers: parsing and display. Pure.

Rules: spine-interface notes 3.1 and 3.2 (NHS number: weights 10 to 2, modulus 11; ranges issued
in England, Wales and the Isle of Man 400-499 and 600-799, never issued and so free for test
patients 900-999). Only ASCII digits count: other scripts' digits look alike but do not match a
stored number.
"""

import re
from enum import Enum

SEPARATORS = re.compile(r"[\s\u00a0\u2007\u2009\u202f\-\u2010\u2011\u2012\u2013]+")
NATIONAL_INSURANCE = re.compile(r"^[A-Z]{2}[0-9]{6}[A-Z]?$", re.IGNORECASE)
GMC_NUMBER = re.compile(r"^[0-9]{7}$")
ODS_PRACTICE = re.compile(r"^[A-Z][0-9]{5}$")


class NhsNumberFault(Enum):
    """Each way an NHS number can be wrong; the value is the sentence the user reads."""

    MISSING = "Enter an NHS number"
    NATIONAL_INSURANCE = "Enter an NHS number, not a National Insurance number"
    NOT_DIGITS = "NHS number must only include numbers"
    TOO_SHORT = "NHS number must be 10 numbers. This one is too short"
    TOO_LONG = "NHS number must be 10 numbers. This one is too long"
    CHECK_DIGIT = "Check the NHS number – it is not one that can exist"
    SCOTLAND = "Enter an NHS number, not a CHI number from Scotland"
    NORTHERN_IRELAND = "Enter an NHS number, not a health and care number from Northern Ireland"
    NOT_ISSUED = "Check the NHS number – numbers that start like this are not issued in England"


class BadNhsNumber(ValueError):
    """The text is not an NHS number of England, Wales or the Isle of Man, or of the test range."""

    def __init__(self, fault: NhsNumberFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class BadOdsCode(ValueError):
    """A practice code is a letter and 5 numbers, for example A81001."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class BadGmcNumber(ValueError):
    """A GMC number is 7 numbers, for example 1234567."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def check_digit(first_nine: str) -> int | None:
    """The tenth digit for nine digits, or None where no NHS number exists for them."""
    total = sum(int(digit) * weight for digit, weight in zip(first_nine, range(10, 1, -1), strict=True))
    digit = 11 - total % 11
    if digit == 10:
        return None
    return 0 if digit == 11 else digit


def parse_nhs_number(text: str) -> str:
    """Ten digits from what a person typed or pasted; raises `BadNhsNumber` with the fault."""
    compact = SEPARATORS.sub("", text)
    if fault := _shape_fault(compact) or _value_fault(compact):
        raise BadNhsNumber(fault)
    return compact


def _shape_fault(compact: str) -> NhsNumberFault | None:
    if not compact:
        return NhsNumberFault.MISSING
    if NATIONAL_INSURANCE.match(compact):
        return NhsNumberFault.NATIONAL_INSURANCE
    if not (compact.isascii() and compact.isdigit()):
        return NhsNumberFault.NOT_DIGITS
    if len(compact) < 10:
        return NhsNumberFault.TOO_SHORT
    return NhsNumberFault.TOO_LONG if len(compact) > 10 else None


def _value_fault(compact: str) -> NhsNumberFault | None:
    if check_digit(compact[:9]) != int(compact[9]):
        return NhsNumberFault.CHECK_DIGIT
    first_three = int(compact[:3])
    if first_three < 320:
        # A CHI number begins with the day of birth: 01 to 31.
        return NhsNumberFault.SCOTLAND if first_three >= 10 else NhsNumberFault.NOT_ISSUED
    if first_three < 400:
        return NhsNumberFault.NORTHERN_IRELAND
    if 500 <= first_three < 600 or 800 <= first_three < 900:
        return NhsNumberFault.NOT_ISSUED
    return None


def format_nhs_number(nhs_number: str) -> str:
    """`999 123 4567`: three, three, four, single spaces (CUI NUM-0001)."""
    return f"{nhs_number[:3]} {nhs_number[3:6]} {nhs_number[6:]}"


def parse_ods_code(text: str) -> str:
    """A practice's ODS code in capitals; raises `BadOdsCode`."""
    code = text.strip().upper()
    if not ODS_PRACTICE.match(code):
        raise BadOdsCode
    return code


def parse_gmc_number(text: str) -> str:
    """A doctor's seven digits in the register of the General Medical Council; raises `BadGmcNumber`.

    They have no check digit, so only the shape can be judged.
    """
    number = SEPARATORS.sub("", text)
    if not GMC_NUMBER.match(number):
        raise BadGmcNumber
    return number
