"""`python -m faults`: exit code 1 on any violation. The environment says what is run (`make faults`).

SEED=n (1), SEEDS=n (one seed after another), ONLY=F1,F6, SIZE=0.2 for a shorter run, MUTANTS=1 for the
planted faults in place of the scenarios.
"""

import os
import sys
import time

from faults import mutants, runner
from faults.ground import Ground, ground

# A planted fault shows in a small part of the run.
HUNTING_SIZE = 0.05


def main() -> int:
    seed, seeds = int(os.environ.get("SEED") or 1), int(os.environ.get("SEEDS") or 1)
    only = [name.strip() for name in os.environ.get("ONLY", "").split(",") if name.strip()]
    hunting = bool(os.environ.get("MUTANTS"))
    known = list(mutants.MUTANTS) if hunting else list(runner.scenarios())
    if unknown := set(only) - set(known):
        raise SystemExit(f"There is no {', '.join(sorted(unknown))}. There are: {', '.join(known)}.")
    size = float(os.environ.get("SIZE") or (HUNTING_SIZE if hunting else 1))
    began = time.monotonic()
    with ground() as servers:
        run = _hunt if hunting else _run
        good = [run(servers, only or known, number, size) for number in range(seed, seed + seeds)]
    print(f"({time.monotonic() - began:.0f} s)")
    return 0 if all(good) else 1


def _run(servers: Ground, names: list[str], seed: int, size: float) -> bool:
    rows = []
    for name in names:
        row = runner.run(servers, name, runner.scenarios()[name], seed, size)
        print("\n".join(runner.told(row)), flush=True)
        rows.append(row)
    ran = [row for row in rows if not row.not_run]
    violations = sum(len(places) for row in ran for places in row.violations.values())
    print(
        f"Seed {seed}: {len(ran)} scenarios run, {len(rows) - len(ran)} not run; {violations} violations of I1 to I9, "
        f"{sum(len(row.misses) for row in ran)} missed limits, {sum(bool(row.broke) for row in ran)} broke off"
    )
    return all(row.is_good for row in ran)


def _hunt(servers: Ground, names: list[str], seed: int, size: float) -> bool:
    missed = []
    for name in names:
        found, text = runner.hunt(servers, name, seed, size)
        print(text, flush=True)
        missed += [] if found else [name]
    print(f"Seed {seed}: {len(names) - len(missed)} of {len(names)} planted faults found")
    return not missed


if __name__ == "__main__":
    sys.exit(main())
