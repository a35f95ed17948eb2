"""Runs scenarios, one after the other, and tells each in a row of the table."""

import importlib
import random
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from types import ModuleType

from faults import invariants, mutants
from faults.check import check, come_to_rest
from faults.ground import Ground
from faults.scenarios import __path__ as _FOLDER
from faults.site import Site
from faults.trial import NotRun, Trial

EXAMPLES = 3


@dataclass
class Row:
    """What came of one scenario with one seed."""

    name: str
    seed: int
    seconds: float = 0.0
    injected: list[str] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)
    misses: list[str] = field(default_factory=list)
    violations: dict[str, list[str]] = field(default_factory=dict)
    not_run: str = ""
    # Why the scenario did not come to its end.
    broke: str = ""

    @property
    def found(self) -> int:
        """Violations and missed limits."""
        return sum(map(len, self.violations.values())) + len(self.misses)

    @property
    def is_good(self) -> bool:
        return not self.found and not self.broke


def scenarios() -> dict[str, ModuleType]:
    """By name, F1 to F15."""
    import pkgutil

    modules = sorted(one.name for one in pkgutil.iter_modules(_FOLDER))
    return {
        f"F{int(name[1:3])}": importlib.import_module(f"faults.scenarios.{name}")
        for name in modules
        if name[0] == "f" and name[1:3].isdigit()
    }


def run(ground: Ground, name: str, module: ModuleType, seed: int, size: float = 1.0) -> Row:
    """One scenario and its check, which is made even where the scenario did not come to its end."""
    row, began = Row(name, seed), time.monotonic()
    # A scenario may need another ground than the usual one.
    its_own: Callable[[Ground], AbstractContextManager[Ground]] = getattr(module, "ground", nullcontext)
    try:
        with its_own(ground) as under, under.site(**getattr(module, "STORE", {})) as site:
            _act(module, Trial(site, random.Random(f"{seed} {name}"), size), row)
    except NotRun as reason:
        row.not_run = str(reason)
    row.seconds = time.monotonic() - began
    return row


def _act(module: ModuleType, trial: Trial, row: Row) -> None:
    try:
        module.run(trial)
    except NotRun:
        raise
    except Exception:  # noqa: BLE001 - told in the table; the other scenarios go on
        row.broke = traceback.format_exc(limit=-3)
    _look(trial.site, trial, row)
    row.injected, row.figures, row.misses = trial.injected, trial.figures, trial.misses


def _look(site: Site, trial: Trial, row: Row) -> None:
    try:
        come_to_rest()
        site.nursery.stop_all()
        row.violations = check(site, trial.before)
    except Exception:  # noqa: BLE001 - as above
        row.broke += traceback.format_exc(limit=-3)


def told(row: Row) -> Iterator[str]:
    """The row as lines of text."""
    head = f"{row.name:<4} seed {row.seed}"
    if row.not_run:
        yield f"{head}  NOT RUN: {row.not_run}"
        return
    counts = " ".join(f"{key}:{len(row.violations.get(key, []))}" for key in invariants.WORDS)
    yield f"{head}  {'ok  ' if row.is_good else 'FAIL'}  {counts}  ({row.seconds:.0f} s)"
    yield from (f"       {text}" for text in row.injected)
    yield from (f"       {text}" for text in row.figures)
    yield from (f"       MISS {text}" for text in row.misses)
    if row.broke:
        yield from ("       " + line for line in f"BROKE OFF: {row.broke}".splitlines())
    for key, places in row.violations.items():
        if places:
            yield f"       {key} ({invariants.WORDS[key]}): {len(places)}"
            yield from (f"          {place}" for place in places[:EXAMPLES])


def hunt(ground: Ground, name: str, seed: int, size: float) -> tuple[bool, str]:
    """Plants a fault and runs the scenario that has to find it: whether it did, and a line that tells."""
    mutant = mutants.MUTANTS[name]
    ground.mutant = name
    try:
        row = run(ground, mutant.found_by, scenarios()[mutant.found_by], seed, size)
    finally:
        ground.mutant = ""
    # What breaks off leaves jobs unfinished, whatever broke it: that alone proves nothing.
    proves = {key: places for key, places in row.violations.items() if not (row.broke and key == "I6")}
    by = [f"{key}:{len(places)}" for key, places in proves.items() if places] + row.misses
    word = "found" if by else "MISSED"
    broke = f" (broke off: {row.broke.strip().splitlines()[-1]})" if row.broke else ""
    text = f"{word:<6} {name:<21} {mutant.found_by:<3} {', '.join(by)}{broke} ({row.seconds:.0f} s)"
    return bool(by), text
