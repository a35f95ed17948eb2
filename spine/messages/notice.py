"""A notice on the store's own copy of a summary: its sections as they are, and a sentence above them. Pure.

Nothing of the record is read for it, so it tells the store nothing new of the patient. The summary keeps
the day on which it was made; whoever reads it learns that nobody has kept it up since.
"""

import datetime
import json
import re
from html import escape
from typing import Any

from spine.messages.bundle import bundle_of
from spine.messages.content import Summary
from spine.messages.narrative import day_words

NOT_KEPT_UP = "The information below is as it was when this summary was created, and is not kept up to date."
PRACTICE_ENDED = f"This practice no longer contributes to the Summary Care Record. {NOT_KEPT_UP}"
_ID = "NoticeStatement"
# Our own, of an earlier notice: another takes its place.
_EARLIER = re.compile(rf'<p id="{_ID}".*?</p>', re.DOTALL)


def patient_left(on: datetime.date) -> str:
    """What the copy of somebody who left says."""
    return f"The patient left this practice on {day_words(on)}. {NOT_KEPT_UP}"


def build_notice(
    copy: bytes,
    summary: Summary,
    statement: str,
    *,
    message_id: str,
    composition_id: str,
    replaces: str,
    at: datetime.datetime,
) -> bytes:
    """The message that puts a statement on a copy. `copy`: the store's answer to a search for it.

    `summary` says whose it is and who writes the notice; its entries are not looked at. Equal input gives
    equal bytes. Raises `ValueError` for a copy that cannot be read, or that is another than `replaces`.
    """
    title, *others = _sections(copy, replaces)
    sections = [title | {"text": _stated(title["text"], statement)}, *others]
    written = [json.dumps(section, ensure_ascii=False, separators=(",", ":")) for section in sections]
    return bundle_of(summary, written, message_id, composition_id, replaces, at)


def _sections(copy: bytes, replaces: str) -> list[dict[str, Any]]:
    try:
        resources = [entry["resource"] for entry in json.loads(copy)["entry"]]
        composition = next(one for one in resources if one["resourceType"] == "Composition")
        same = composition["identifier"]["value"].lower() == replaces.lower()
        sections: list[dict[str, Any]] = composition["section"]
        if same and sections[0]["code"]["coding"][0]["code"] == "Title":
            return sections
    except (LookupError, TypeError, StopIteration, AttributeError, json.JSONDecodeError) as error:
        raise ValueError("The store's copy cannot be read.") from error
    raise ValueError("The store's copy is another, or has no title.")


def _stated(text: dict[str, Any], statement: str) -> dict[str, Any]:
    """The title's text with the statement under its heading, or at its beginning where it has none."""
    div = _EARLIER.sub("", text["div"])
    said = f'<p id="{_ID}" class="HighlightedStatement">{escape(statement)}</p>'
    head, heading, rest = div.partition("</h3>")
    if not heading:
        head, heading, rest = div.partition(">")
    return text | {"div": f"{head}{heading}{said}{rest}"}
