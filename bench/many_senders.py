"""`python -m bench.many_senders COUNT BATCH [unfenced]`: senders, each with its own connections, until a line comes in.

Afterwards a line of JSON: from when to when each batch held the fence. `unfenced` takes the fence away, to show
that the trial finds what it looks for.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

# After a batch of which nothing may go: else two cores would be busy with what is held.
REST = 0.1


def main() -> None:
    import django

    django.setup()
    from django.db import connection

    from carerecords import fence
    from spine.sending import pipeline
    from spine.sending.claims import Claimed
    from spine.sending.store import Store

    count, batch, over = int(sys.argv[1]), int(sys.argv[2]), threading.Event()
    if "unfenced" in sys.argv:
        fence.share = lambda cursor, practice_ids, *, idle_ms: None
        fence.keep_patients = lambda cursor, patient_ids: None
    told: list[tuple[float, float]] = []

    hold = pipeline._fence

    @contextmanager
    def timed(jobs: Sequence[Claimed]) -> Iterator[pipeline.Held]:
        with hold(jobs) as held:
            began = time.time()

            def let_go() -> None:
                held.release()
                told.append((began, time.time()))

            yield replace(held, release=let_go)

    pipeline._fence = timed

    def work() -> None:
        store = Store()
        try:
            while not over.is_set():
                if not pipeline.send_batch(store, limit=batch).sent:
                    time.sleep(REST)
        finally:
            store.close()
            connection.close()

    senders = [threading.Thread(target=work) for _ in range(count)]
    for sender in senders:
        sender.start()
    print("ready", flush=True)
    sys.stdin.readline()
    over.set()
    for sender in senders:
        sender.join()
    print(json.dumps(told))


if __name__ == "__main__":
    main()
