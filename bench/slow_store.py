"""`python -m bench.slow_store PORT MILLISECONDS [CERTIFICATE KEY]`: a store that holds nothing and accepts all, each call after so long.

The time of the real one's answer without its work, so that the senders are not held up by two cores. It keeps
when each message arrived, which `/arrivals` tells, and `/count` how many there were.
"""

import asyncio
import ssl
import sys
import time

from aiohttp import web

_NOTHING_HELD = b'{"resourceType": "Bundle", "type": "searchset", "total": 0}'


def application(seconds: float) -> web.Application:
    """Answers the two calls that senders make."""
    arrivals: list[float] = []

    async def find(_: web.Request) -> web.Response:
        await asyncio.sleep(seconds)
        return web.Response(body=_NOTHING_HELD, content_type="application/fhir+json")

    async def accept(request: web.Request) -> web.Response:
        arrivals.append(time.time())
        await request.read()
        await asyncio.sleep(seconds)
        return web.Response(status=201)

    async def arrived(_: web.Request) -> web.Response:
        return web.json_response(arrivals)

    async def count(_: web.Request) -> web.Response:
        return web.json_response(len(arrivals))

    async def health(_: web.Request) -> web.Response:
        return web.Response()

    made = web.Application()
    made.add_routes(
        [
            web.get("/DocumentReference", find),
            web.post("/Bundle", accept),
            web.get("/arrivals", arrived),
            web.get("/count", count),
            web.get("/health", health),
        ]
    )
    return made


if __name__ == "__main__":
    port, milliseconds, *certificate = sys.argv[1:]
    secret = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if certificate else None
    if secret:
        secret.load_cert_chain(*certificate)
    made = application(int(milliseconds) / 1000)
    web.run_app(made, host="127.0.0.1", port=int(port), ssl_context=secret, access_log=None, print=None)
