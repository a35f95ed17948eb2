"""Run the local store until it is told to stop: `python -m spine.localstore`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys

import psycopg

from spine.localstore.configuration import Configuration, ConfigurationError, from_environment
from spine.localstore.database import AlreadyServed
from spine.localstore.server import running


async def serve(configuration: Configuration) -> None:
    """Serve until SIGTERM or SIGINT; the first line of output says where."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(configuration) as address:
        print(f"listening on {address}", flush=True)
        await stop.wait()


def main() -> int:
    """Return the process's exit code: 0 stopped, 1 could not start, 2 wrong settings."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        configuration = from_environment()
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve(configuration))
    except (psycopg.OperationalError, AlreadyServed, OSError) as error:
        print(f"the local store could not start: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
