"""F6: the policy switched 1,000 times at random moments, all uploads stopped, flapped; 2 to 32 senders."""

from functools import partial

from bench.switches import Switch, Switchers
from faults import people, switching
from faults.beside import Beside
from faults.trial import Trial, spread

TOGGLES, STOPS, FLAPS = 1000, 40, 100
SENDERS = (2, 4, 8, 16, 32)
ANSWER_SECONDS = 0.03
BATCH = 4
REST_OF_EACH = 0.005
# Two cores are few for 32 senders; whoever changes the policy has a machine to themselves in life.
NICE = 5


def run(trial: Trial) -> None:
    surgeries = people.surgeries(4, 60)
    admins = Switchers()
    switching.nobody_passes_a_change(trial, surgeries, admins)
    _answer(surgeries[3], "DO_NOT_FOLLOW")
    for surgery in surgeries:
        people.decide(surgery, surgery.patients, consent=True)
    trial.site.order_fault("delay", target="any", seconds=ANSWER_SECONDS)
    limit = switching.LONGEST_WAIT
    made: list[Switch] = []
    # A short run has the largest crowd: what keeps a change waiting shows there.
    counts = SENDERS if trial.size >= 0.5 else SENDERS[-1:]
    of_each = {
        "changes": trial.times(TOGGLES // len(counts), least=8),
        "stops": trial.times(STOPS // len(counts)),
        "flaps": trial.times(FLAPS // len(counts), least=4),
    }
    with Beside(partial(switching.feed, surgeries), 0.05):
        for count in counts:
            _at_work(trial, count)
            for switch in switching.switches(trial, admins, **of_each):
                made.append(switch())
                if made[-1].waited > limit:
                    break
            if not trial.before.tables:
                trial.keep()
            trial.site.nursery.stop_all()
    trial.site.clear_faults()
    holding = [one for one in made if one.holds]
    trial.inject(
        f"{len(made)} changes that commit ({len(holding)} hold uploads), {', '.join(map(str, counts))} senders in turn"
    )
    trial.figure(f"a change waits {spread([one.waited for one in holding])}")
    trial.within("the longest wait of a change", max(one.waited for one in made), limit)
    trial.figure(f"from click to commit {spread([one.took for one in made])}")
    switching.all_goes_on(trial, admins)


def _at_work(trial: Trial, senders: int) -> None:
    processes = min(senders, 4)
    # However many there are, they ask for work as often while nothing may go.
    rest = senders * REST_OF_EACH
    for _ in range(processes):
        trial.site.nursery.start(sends=senders // processes, limit=BATCH, rest=rest, nice=NICE)
    trial.site.nursery.start(sends=0, recovers=1)


def _answer(surgery: people.Surgery, stance: str) -> None:
    from django.utils import timezone

    from boycott.actions import set_stance
    from boycott.positions import Stance

    now = timezone.now()
    set_stance(
        practice=surgery.practice,
        stance=Stance[stance],
        agreed_by="The partners",
        agreed_on=timezone.localdate(now),
        by=surgery.manager,
        at=now,
    )
