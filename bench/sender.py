"""`python -m bench.sender`: a worker's task, over and over until a line comes in; tells what each batch did."""

import json
import sys
import threading
import time
from typing import Any


def main() -> None:
    import django

    django.setup()
    from config.celery import calm_collector
    from spine import tasks
    from spine.sending import pipeline

    calm_collector()

    over = threading.Event()

    def wait_for_word() -> None:
        sys.stdin.readline()
        over.set()

    threading.Thread(target=wait_for_word, daemon=True).start()
    batch = pipeline.send_batch
    told = []

    def timed(store: Any, *, limit: int | None = None) -> pipeline.BatchReport:
        began = time.perf_counter()
        done = batch(store, limit=limit)
        if done.claimed:
            told.append({"seconds": time.perf_counter() - began, "sent": done.sent, "claimed": done.claimed})
        # A task goes on while there is work; here until it is told to stop.
        return pipeline.BatchReport() if over.is_set() else done

    pipeline.send_batch = timed
    print("ready", flush=True)
    while not over.is_set():
        tasks.send_due()
        time.sleep(0.01)
    print("\n".join(json.dumps(each) for each in told))


if __name__ == "__main__":
    main()
