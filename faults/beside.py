"""What goes on all the while beside a scenario, in a thread."""

import threading
from collections.abc import Callable


class Beside(threading.Thread):
    """Does something again and again beside the scenario. What goes wrong is raised where it is ended."""

    def __init__(self, step: Callable[[], object], rest: float) -> None:
        super().__init__()
        self._step, self._rest = step, rest
        self._over = threading.Event()
        self._error: BaseException | None = None

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
        if self._error:
            raise self._error

    def run(self) -> None:
        from django.db import connection

        try:
            while not self._over.wait(self._rest):
                self._step()
        except BaseException as error:  # noqa: BLE001 - raised where it is ended
            self._error = error
        finally:
            connection.close()
