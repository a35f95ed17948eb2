"""`python -m faults.planted MODULE …`: runs a module of the product, with the fault that FAULTS_MUTANT names."""

import os
import runpy
import sys

from faults import mutants


def main() -> None:
    if name := os.environ.get("FAULTS_MUTANT", ""):
        mutants.plant(name)
    module = sys.argv[1]
    sys.argv = sys.argv[1:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
