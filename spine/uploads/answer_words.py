"""What the Spine answered, in words, from its status and its codes. Pure.

Only codes are kept of an answer (`spine.sending.answers`): its text may name a patient. Meanings of issue
codes: FHIR R4, code system `issue-type`; of PSIS codes: texts in the service's published examples.
"""

CODES = {
    "value": "something in the message is missing, or is not as the Spine takes it",
    "invalid": "the message is not in the form that the Spine takes",
    "forbidden": "it does not allow this",
    "transient": "it cannot do this just now, and may be able to later",
    "exception": "a fault inside the Spine",
    "not-supported": "it does not do what was asked, or not in this form",
    "not-found": "it does not know what the message points to",
    "PSIS-30134": "it has a message with this number already",
    "PSIS-30312": "it holds no record of this patient yet",
    "PSIS-30418": "access to this patient's record is not permitted",
    "PSIS-35160": "the NHS number is missing or not right",
}


def answer_sentences(status: int | None, detail: str) -> list[str]:
    """Status and codes of a receipt as sentences; a code without a meaning stands as it is.

    `detail` without any code that is known is what this service noted itself, such as the kind of a lost connection.
    """
    codes = list(dict.fromkeys(detail.split()))
    are_codes = any(code in CODES for code in codes)
    told = f" and {_codes(codes)}" if are_codes else ""
    sentences = [f"The Spine answered with HTTP status {status}{told}."] if status else []
    if detail and not (status and are_codes):
        sentences.append(f"Noted with it: {detail}.")
    return sentences


def _codes(codes: list[str]) -> str:
    """`the code 'value': …`, `the codes 'value': …; and 'PSIS-35160': …`."""
    meant = [f"'{code}': {CODES[code]}" if code in CODES else f"'{code}'" for code in codes]
    return f"the {'code' if len(codes) == 1 else 'codes'} {'; and '.join(meant)}"
