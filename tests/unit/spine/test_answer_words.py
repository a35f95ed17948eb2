"""What the Spine answered, told in words: every code that its interface names has a meaning, none makes one up."""

import pytest

from spine.uploads.answer_words import CODES, answer_sentences

CASES = {
    "no answer and nothing to say": (None, "", []),
    "only a status": (201, "", ["The Spine answered with HTTP status 201."]),
    "a code": (
        400,
        "value",
        [
            "The Spine answered with HTTP status 400 and the code 'value': something in the message is missing, or "
            "is not as the Spine takes it."
        ],
    ),
    "a code and the Spine's own": (
        403,
        "forbidden PSIS-30418",
        [
            "The Spine answered with HTTP status 403 and the codes 'forbidden': it does not allow this; and "
            "'PSIS-30418': access to this patient's record is not permitted."
        ],
    ),
    "the same code twice": (
        503,
        "transient transient",
        [
            "The Spine answered with HTTP status 503 and the code 'transient': it cannot do this just now, and may be "
            "able to later."
        ],
    ),
    "a code beside one that nobody here knows": (
        400,
        "value PSIS-99999",
        [
            "The Spine answered with HTTP status 400 and the codes 'value': something in the message is missing, or "
            "is not as the Spine takes it; and 'PSIS-99999'."
        ],
    ),
    "only what nobody here knows": (
        400,
        "PSIS-99999",
        ["The Spine answered with HTTP status 400.", "Noted with it: PSIS-99999."],
    ),
    "no answer": (None, "ConnectTimeout", ["Noted with it: ConnectTimeout."]),
}


@pytest.mark.parametrize("name", CASES)
def test_an_answer_in_words(name):
    status, detail, sentences = CASES[name]
    assert answer_sentences(status, detail) == sentences


@pytest.mark.parametrize(
    "code", ["value", "forbidden", "transient", "exception", "not-supported", "not-found", "invalid"]
)
def test_every_issue_code_of_the_interface_has_a_meaning(code):
    assert CODES[code]
    assert f"'{code}': {CODES[code]}." in answer_sentences(500, code)[0]
