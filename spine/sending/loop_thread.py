"""An event loop in a thread of its own, to which several threads give work: they wait, it does not."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

Got = TypeVar("Got")


class LoopThread:
    """Runs coroutines for other threads, all in one loop: they share its connections."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="store", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Got]) -> Got:
        """Waits for its result. Whoever stops waiting, by a signal for instance, has it cancelled."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Ends the thread; nothing may be running any more."""
        # One more turn, in which closed connections let go of their sockets.
        self.run(asyncio.sleep(0))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
