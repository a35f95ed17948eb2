"""The pages: the ledger at `/`, one line with its patient at `/lines/<sequence>`, the search, the faults."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from psycopg_pool import AsyncConnectionPool

from spine.localstore import control
from spine.localstore.arrivals import ACCEPTED, UPLOAD
from spine.localstore.faults import TARGETS, FaultKind, FaultRefused, Faults
from spine.localstore.fhir_json import child, objects, text
from spine.localstore.pages import queries, words
from spine.localstore.pages.narrative import readable
from spine.localstore.tallies import Tallies, standing

_HERE = Path(__file__).parent
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_SEPARATORS = re.compile(r"[\s\u00a0-]+")


class Pages:
    """Answers every request that is not for the interface, the ledger's reading or health."""

    def __init__(self, readers: AsyncConnectionPool, tallies: Tallies, faults: Faults | None) -> None:
        self._readers = readers
        self._tallies = tallies
        # None: they cannot be ordered here, and there is no page of them.
        self._faults = faults
        self._style = (_HERE / "page.css").read_bytes()
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["words"] = words

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Return the page asked for, or a page that says it is not there."""
        if request.method == "GET":
            if request.path == "/":
                return await self._ledger(request.query)
            if request.path == "/page.css":
                return web.Response(body=self._style, content_type="text/css", headers=_HEADERS)
            if found := re.fullmatch(r"/lines/([0-9]{1,18})", request.path):
                return await self._line(int(found[1]))
        if request.method == "POST" and request.path == "/find":
            return await self._find(request)
        if request.path == control.PATH and self._faults is not None:
            return await self._order_fault(request, self._faults)
        return await self.missing()

    async def missing(self) -> web.Response:
        """Return the page that says that there is none."""
        return self._page("missing.html", 404, {})

    async def _order_fault(self, request: web.BaseRequest, faults: Faults) -> web.Response:
        """The faults in force, and a form that adds one or clears all."""
        if request.method == "GET":
            return self._fault_page(faults, {}, {})
        if request.method != "POST" or not control.from_own_page(request):
            return await self.missing()
        sent = {name: str(value)[:200] for name, value in (await request.post()).items()}
        if sent.pop("do", "") == "clear":
            faults.clear()
        else:
            try:
                faults.order(sent)
            except FaultRefused as refusal:
                return self._fault_page(faults, sent, refusal.problems)
        return web.Response(status=303, headers={**_HEADERS, "Location": control.PATH})

    def _fault_page(
        self, faults: Faults, sent: Mapping[str, str], problems: Mapping[str, str]
    ) -> web.Response:
        values = {
            "faults": list(faults),
            "kinds": FaultKind,
            "targets": TARGETS,
            "sent": sent,
            # A list that lies open needs no second one beside it in words.
            "problems": {name: told.partition(":")[0] for name, told in problems.items()},
        }
        return self._page("faults.html", 400 if problems else 200, values)

    async def _ledger(self, query: Mapping[str, str], sought: str = "", fault: str = "") -> web.Response:
        outcome = query.get("outcome", "")
        kind = query.get("kind", "")
        outcome = outcome if outcome in (*words.OUTCOMES, "blank") else ""
        kind = kind if kind in words.KINDS else ""
        before = query.get("before", "")
        start = int(before) if re.fullmatch("[0-9]{1,18}", before) else None
        async with self._readers.connection() as connection:
            lines, more = await queries.newest(connection, outcome=outcome, kind=kind, before=start)
            summaries, refusing = await standing(connection)
        values = {
            "lines": lines,
            "more": more,
            "outcome": outcome,
            "kind": kind,
            "later": start is not None,
            "tallies": self._tallies,
            "summaries": summaries,
            "refusing": refusing,
            "sought": sought,
            "fault": fault,
            "has_faults": self._faults is not None,
            "faults_in_force": len(list(self._faults or ())),
        }
        return self._page("ledger.html", 400 if fault else 200, values)

    async def _find(self, request: web.BaseRequest) -> web.Response:
        """Go to the newest line about the patient; the number stays in the body of the request."""
        sought = str((await request.post()).get("nhs_number", ""))[:40]
        number = _SEPARATORS.sub("", sought)
        if not re.fullmatch("[0-9]{10}", number):
            return await self._ledger({}, sought, "Enter an NHS number of 10 digits, like 999 000 0018")
        async with self._readers.connection() as connection:
            lines = await queries.lines_of(connection, number, limit=1)
        if not lines:
            return await self._ledger({}, sought, "Nothing about this NHS number has reached the store")
        return web.Response(status=303, headers={**_HEADERS, "Location": f"/lines/{lines[0].sequence}"})

    async def _line(self, sequence: int) -> web.Response:
        async with self._readers.connection() as connection:
            line = await queries.line(connection, sequence)
            if line is None:
                return self._page("missing.html", 404, {})
            history: list[queries.Line] = []
            current, permission = None, None
            if line.nhs_number is not None:
                history = await queries.lines_of(connection, line.nhs_number)
                current, permission = await queries.current(connection, line.nhs_number)
            shown = line if _is_summary(line) else await self._line_of(connection, current)
            body = None if shown is None else await queries.body(connection, shown)
        values = {
            "line": line,
            "shown": shown,
            "sections": _sections(body),
            "history": history,
            "current": current,
            "permission": permission,
        }
        return self._page("line.html", 200, values)

    async def _line_of(self, connection: Any, sequence: int | None) -> queries.Line | None:
        return None if sequence is None else await queries.line(connection, sequence)

    def _page(self, name: str, status: int, values: Mapping[str, object]) -> web.Response:
        html = self._templates.get_template(name).render(values)
        return web.Response(status=status, text=html, content_type="text/html", headers=_HEADERS)


def _is_summary(line: queries.Line) -> bool:
    return line.kind == UPLOAD and line.outcome == ACCEPTED


def _sections(body: bytes | None) -> list[dict[str, object]]:
    """Return title and safe text of each section of a stored bundle."""
    if body is None:
        return []
    composition = child(objects(json.loads(body).get("entry"))[0], "resource")
    return [
        {"title": text(section, "title"), "text": readable(text(child(section, "text"), "div"))}
        for section in objects(composition.get("section"))
    ]
