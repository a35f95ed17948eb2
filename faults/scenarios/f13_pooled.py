"""F13: a pooler between everybody and PostgreSQL, which gives each transaction another session; the policy switched as in F6.

By PgBouncer where there is one (on the path, or named in CARE_PGBOUNCER_BINARY), else by one of our own in its place.
"""

import urllib.parse
import urllib.request
from functools import partial
from http.client import IncompleteRead

from bench import serving
from bench.switches import Switch, Switchers
from config.embedded.services import DIRECT
from faults import browsers, people, switching
from faults.beside import Beside
from faults.browsers import SAVED, Clerk
from faults.pooling import pooled
from faults.trial import Trial, spread

TOGGLES, STOPS, FLAPS = 120, 10, 20
# So many senders, each with two connections at times, and people beside them: fewer sessions than clients.
SENDERS, PROCESSES, SESSIONS = 12, 3, 20
ANSWER_SECONDS = 0.03
BATCH = 4
# A decision every so many seconds.
PAUSE = 0.2


def run(trial: Trial) -> None:
    site = trial.site
    by = site.ends.enter_context(pooled(site, SESSIONS))
    *surgeries, town = people.surgeries(4, 60)
    admins = Switchers()
    for surgery in surgeries:
        people.decide(surgery, surgery.patients, consent=True)
    port = site.start_web()
    clerk, waiting = Clerk(port, town.gp), browsers.pages(town.patients)
    site.order_fault("delay", target="any", seconds=ANSWER_SECONDS)
    for _ in range(PROCESSES):
        site.nursery.start(sends=SENDERS // PROCESSES, recovers=1, limit=BATCH, rest=0.02)
    with (
        Beside(partial(switching.feed, surgeries), 0.05),
        Beside(lambda: waiting and clerk.record(waiting.pop()), PAUSE),
    ):
        made = _switched(trial, admins)
    site.clear_faults()
    holding = [one for one in made if one.holds]
    trial.inject(
        f"{len(made)} changes that commit ({len(holding)} hold uploads), {SENDERS} senders of two connections each "
        f"and people, with {SESSIONS} sessions of the server, by {by}"
    )
    trial.figure(f"a change waits {spread([one.waited for one in holding])}")
    trial.within("the longest wait of a change", max(one.waited for one in made), switching.LONGEST_WAIT)
    saved = sum(form.answer == SAVED for form in clerk.forms)
    trial.must(
        saved == len(clerk.forms),
        f"{len(clerk.forms) - saved} of {len(clerk.forms)} decisions were not saved",
    )
    for lie in browsers.untrue(clerk.forms):
        trial.must(False, lie)
    listed = _listed(port, town)
    trial.must(listed == len(town.patients), f"a file of {len(town.patients)} patients has {listed}")
    trial.figure(f"{saved} decisions in a browser, and a file of {listed} patients")
    switching.all_goes_on(trial, admins)


def _switched(trial: Trial, admins: Switchers) -> list[Switch]:
    """What was changed. Ends early where a change is not to be had: the rest would not be either."""
    from django.db import OperationalError

    made: list[Switch] = []
    times = {
        "changes": trial.times(TOGGLES, least=8),
        "stops": trial.times(STOPS),
        "flaps": trial.times(FLAPS, least=4),
    }
    for switch in switching.switches(trial, admins, **times):
        try:
            made.append(switch())
        except OperationalError as error:
            trial.must(False, f"a change was not to be had: {error}")
            break
        if made[-1].waited > switching.LONGEST_WAIT:
            break
        if not trial.before.tables and len(made) > sum(times.values()) // 2:
            trial.keep()
    return made


def _listed(port: int, surgery: people.Surgery) -> int:
    """How many patients are in the file of all patients that a manager takes out of the service."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/consent/bulk/export/",
        urllib.parse.urlencode({"from": "select=all", "answers": "yes", "reason": "CHECK"}).encode(),
        {"Cookie": serving.session_of(surgery.manager), "X-CSRFToken": serving.SECRET},
    )
    with DIRECT.open(request, timeout=30) as answer:
        try:
            file = answer.read()
        except IncompleteRead as cut:
            file = cut.partial
    return file.count(people.MARKER.encode())
