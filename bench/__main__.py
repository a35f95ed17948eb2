"""`python -m bench [NAME …]`: exit code 1 if a goal is missed."""

import importlib
import pkgutil
import sys
import time
from types import ModuleType

import bench
from bench import harness

NOT_BENCHMARKS = {
    "__main__",
    "decision_files",
    "harness",
    "many_senders",
    "naive",
    "one_sender",
    "peers",
    "people",
    "population",
    "scale",
    "sender",
    "serving",
    "slow_store",
    "switches",
    "tls",
}


def chosen(names: list[str]) -> list[ModuleType]:
    known = [each.name for each in pkgutil.iter_modules(bench.__path__) if each.name not in NOT_BENCHMARKS]
    unknown = set(names) - set(known)
    if unknown:
        raise SystemExit(
            f"There is no benchmark {', '.join(sorted(unknown))}. There are: {', '.join(known)}."
        )
    return [importlib.import_module(f"bench.{name}") for name in known if not names or name in names]


def main() -> int:
    modules = chosen(sys.argv[1:])
    missed = 0
    with harness.database():
        from bench import population

        population.make()
        for module in modules:
            print(f"\n{(module.__doc__ or '').strip()}", flush=True)
            began = time.monotonic()
            with harness.copy_of_database():
                for ratio in module.run():
                    print(f"  {ratio}", flush=True)
                    missed += not ratio.reached
            print(f"  ({module.__name__}: {time.monotonic() - began:.0f} s)", flush=True)
    print(f"\nMissed goals: {missed}. docs/performance.md says which, and why." if missed else "")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
