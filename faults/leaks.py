"""I9: made-up names and NHS numbers looked for where no patient may ever be."""

import re
from collections.abc import Iterator
from pathlib import Path

from faults.people import MARKER
from faults.site import Site

# The test range in any spacing, alone: no part of a longer number or of an id.
_PATIENT = re.compile(rf"{MARKER}|(?<![\w-])999[ -]?\d{{3}}[ -]?\d{{4}}(?![\w-])".encode())
_EXAMPLES = 3


def find(site: Site) -> list[str]:
    """Each place that names a patient: logs of all processes, of PostgreSQL since the site began, the broker's disk."""
    return [
        f"{name}: {found[:60].decode(errors='replace')!r}"
        for name, text in _places(site)
        for found in _in(text)
    ]


def _places(site: Site) -> Iterator[tuple[str, bytes]]:
    for file in sorted(site.logs.rglob("*.log")):
        yield file.name, file.read_bytes()
    with site.ground.postgres.log.open("rb") as log:
        log.seek(site.log_begins)
        yield "postgres.log", log.read()
    own = site.ground.folder / "own.log"
    yield own.name, own.read_bytes()
    if site.broker:
        for file in sorted(Path(site.broker.folder).rglob("*")):
            if file.is_file():
                yield f"broker {file.name}", file.read_bytes()


def _in(text: bytes) -> list[bytes]:
    found = []
    for match in _PATIENT.finditer(text):
        begin = max(0, match.start() - 20)
        found.append(text[begin : match.end()])
        if len(found) == _EXAMPLES:
            break
    return found
