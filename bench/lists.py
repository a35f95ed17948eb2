"""The patient list, beside the list as it is written first, beside Django's paginator, and beside pages that do
nothing; and the same list deep down, filtered, sorted and searched.

Beside others over HTTP, from the web server that is deployed, eight browsers at once; in turn, medians of the rounds.
"""

from collections.abc import Callable, Iterator
from typing import Any

from bench import people, serving
from bench.harness import Cost, Ratio, cost, middle
from bench.serving import Web, get, in_turn, rate

ROUNDS = 5
SECONDS = 1.0
PAGES = 10


def run() -> Iterator[Ratio]:
    practice, gp = people.practice_of(10_000)
    cookies = serving.session_of(gp)
    size = len(_body(cookies))
    ours = {"DJANGO_SETTINGS_MODULE": "bench.peers.settings", "BENCH_PAGE_BYTES": str(size)}
    bare = ours | {"DJANGO_SETTINGS_MODULE": "bench.peers.bare_settings"}
    with serving.web(ours) as product, serving.web(bare) as nothing:
        pages = {
            "list": (product, get("/patients/", cookies)),
            "n_plus_one": (product, get("/peers/n-plus-one/", cookies)),
            "paginator": (product, get("/peers/paginator/", cookies)),
            "paginator_deep": (product, get("/peers/paginator/?page=150", cookies)),
            "behind": (product, get("/peers/behind-log-in/", cookies)),
            "static": (nothing, get("/peers/static/")),
        }
        found = in_turn({name: _rate(*page) for name, page in pages.items()}, ROUNDS)
        yield from _beside_peers(found, size)
    yield from _same_everywhere(practice, gp)
    yield _queries(gp)


def _beside_peers(found: dict[str, float], size: int) -> Iterator[Ratio]:
    one = 1_000 * 2 / found["list"]
    told = f"{size / 1024:,.0f} KiB; {found['list']:,.0f} pages/s, {one:.1f} ms of a process each; {serving.load()}"
    name = "patient list"
    yield Ratio(
        name,
        "times the list with a query for each cell",
        found["list"] / found["n_plus_one"],
        goal=7,
        note=f"that one {found['n_plus_one']:,.0f} pages/s",
    )
    yield Ratio(
        name,
        "times select_related, prefetch_related and Paginator",
        found["list"] / found["paginator"],
        goal=1.5,
        note=f"that one {found['paginator']:,.0f} pages/s, {found['paginator_deep']:,.0f} on its page 150",
    )
    yield Ratio(
        name,
        "of as many bytes from bare Django",
        found["list"] / found["static"],
        goal=0.08,
        note=f"{told}; bare {found['static']:,.0f}/s",
    )
    yield Ratio(
        name,
        "of as many bytes behind the same log-in and middleware",
        found["list"] / found["behind"],
        note=f"which {found['behind']:,.0f} pages/s are the most that any page can reach",
    )


def _same_everywhere(practice: Any, gp: Any) -> Iterator[Ratio]:
    """By processor time of a process and its backend: the differences are small, and the machine is shared."""
    places = people.places(practice, gp)
    ways = {
        name: _pages(path, places.cookies) for name, path in {"first": "/patients/", **places.paths}.items()
    }
    costs: dict[str, list[Cost]] = {name: [] for name in ways}
    for number in range(ROUNDS + 1):
        for name, way in ways.items():
            spent = cost(way)
            if number:
                costs[name].append(spent)
    each = {name: middle(found).processor / PAGES for name, found in costs.items()}
    first = each.pop("first")
    for name, spent_each in each.items():
        yield Ratio(
            f"patient list, {name}",
            "times the work of page 1",
            spent_each / first,
            goal=1.2,
            at_most=True,
            note=f"{spent_each * 1e3:.1f} and {first * 1e3:.1f} ms of processor",
        )


def _pages(path: str, cookies: str) -> Callable[[], None]:
    """The page so many times, from the application itself."""
    from django.test import Client

    client = Client(headers={"cookie": cookies})

    def ask() -> None:
        for _ in range(PAGES):
            answer = client.get(path)
            if answer.status_code != 200 or len(answer.content) < 100_000:
                raise AssertionError(f"{path}: {answer.status_code}, {len(answer.content)} bytes")

    return ask


def _rate(server: Web, request: bytes) -> Callable[[], float]:
    return lambda: rate(server, request, SECONDS)


def _body(cookies: str) -> bytes:
    from django.test import Client

    client = Client(headers={"cookie": cookies})
    body: bytes = client.get("/patients/").content
    return body


def _queries(gp: Any) -> Ratio:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"cookie": serving.session_of(gp)})
    client.get("/patients/")
    with CaptureQueriesContext(connection) as captured:
        client.get("/patients/")
    return Ratio(
        "patient list", "queries, log-in and access log among them", len(captured), goal=6, at_most=True
    )
