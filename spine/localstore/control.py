"""The door by which faults are ordered: for programs as JSON, for people as a page's form.

It is shut unless `LOCALSTORE_CONTROL` opens it, and then opens to this machine only. A web page of
somebody else cannot use it by a visitor's browser: the host must be this machine's own name, JSON must
be declared as JSON (which browsers ask leave for), and a form must come from the store's own page.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping

from aiohttp import web

from spine.localstore.faults import Fault, FaultRefused, Faults

PATH = "/faults"


def may_control(request: web.BaseRequest, *, enabled: bool) -> bool:
    """Say whether this caller may order faults."""
    return enabled and _is_loopback(request.remote or "") and _names_this_machine(request.host)


def from_own_page(request: web.BaseRequest) -> bool:
    """Say whether a form was sent by the store's own page (or by no browser at all)."""
    if site := request.headers.get("Sec-Fetch-Site"):
        # Browsers tell; the origin they hide, since the pages ask them to send no referrer.
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin in (None, f"{request.scheme}://{request.host}")


async def answer_program(request: web.BaseRequest, faults: Faults) -> web.Response:
    """GET lists the faults, POST orders one, DELETE takes all away; every answer lists what stands."""
    if request.method == "POST":
        try:
            faults.order(await _read(request))
        except FaultRefused as refusal:
            return web.json_response({"problems": refusal.problems}, status=400)
    elif request.method == "DELETE":
        faults.clear()
    elif request.method != "GET":
        return web.json_response({"message": "GET, POST or DELETE"}, status=405)
    return web.json_response({"faults": [as_json(fault) for fault in faults]})


def as_json(fault: Fault) -> dict[str, object]:
    """Return a fault in force as a program reads it."""
    return {
        "number": fault.number,
        "kind": fault.kind.code,
        "target": fault.target,
        "probability": fault.probability,
        "times": fault.times,
        "seed": fault.seed,
        "seconds": fault.seconds,
        "retry_after": fault.retry_after,
        "size": fault.size,
        "struck": fault.struck,
    }


def is_program(request: web.BaseRequest) -> bool:
    """Say whether JSON is spoken: declared for a body, asked for otherwise."""
    if request.method == "POST":
        return request.content_type == "application/json"
    return "application/json" in request.headers.get("Accept", "") or request.method == "DELETE"


async def _read(request: web.BaseRequest) -> Mapping[str, str]:
    try:
        wanted = json.loads(await request.read())
    except ValueError:
        wanted = None
    if not isinstance(wanted, dict):
        raise FaultRefused({"kind": "The body must be a JSON object"})
    return {str(name): "" if value is None else str(value) for name, value in wanted.items()}


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _names_this_machine(host: str) -> bool:
    """Say whether a Host header names this machine itself: no name of elsewhere may lead here."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    return name == "localhost" or _is_loopback(name.strip("[]"))
