"""What a form sent, in the words of the person who filled it in, without the form itself.

For the page that says nothing was saved: by then the form cannot be built, because that takes the
database. What only the form understands, its keys and marks, is left out.
"""

import re
from collections.abc import Iterable, Iterator

from boycott.positions import GpStance, Position, Stance
from carerecords.vocabulary import Term
from consent.codes import Preference, Source
from consent.forms import WhoDecided

_TERMS: dict[str, tuple[type[Term], ...]] = {
    "preference": (Preference,),
    "source": (Source,),
    "who_decided": (WhoDecided,),
    "position": (Position,),
    "stance": (Stance, GpStance),
}
_LABELS = {
    "preference": "What the patient decided",
    "source": "How they told you",
    "decided_on": "Date of decision",
    "representative_name": "Name of the person who decided",
    "representative_authority": "Their authority",
    "who_decided": "Who decided",
}
_MARK = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
_DATE_PART = re.compile(r"(.+)_(day|month|year)")


def in_words(fields: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Label and words of each field that a person filled in, in the form's order.

    A date is one line, and so are the answers for single patients, which are counted: who they are
    the form knew, and not what it sent.
    """
    shown: dict[str, list[str]] = {}
    answers = 0
    for full_name, value in fields:
        name = full_name.rsplit("-", 1)[-1]
        if not value.strip() or _MARK.fullmatch(value):
            continue
        if _MARK.fullmatch(name):
            answers += 1
        elif part := _DATE_PART.fullmatch(name):
            shown.setdefault(part[1], []).append(value)
        else:
            shown.setdefault(name, []).append(_words(name, value))
    for name, values in shown.items():
        yield _label(name), (" " if name.endswith("_on") else ", ").join(values)
    if answers:
        yield "Answers for single patients", str(answers)


def _label(name: str) -> str:
    return _LABELS.get(name) or name.replace("_", " ").capitalize()


def _words(name: str, value: str) -> str:
    return next((terms(value).label for terms in _TERMS.get(name, ()) if value in terms.__members__), value)
