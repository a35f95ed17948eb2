"""The local store stands apart: it shares no code with what it is a witness of."""

import subprocess
import sys

from tests.localstore_process import ROOT

LISTING = """
import sys
import spine.localstore.server
print(*sorted(name for name in sys.modules))
"""
OURS = {"boycott", "carerecords", "config", "consent", "demo", "reports"}


def test_nothing_of_ours_is_loaded_with_it():
    listed = subprocess.run(
        [sys.executable, "-c", LISTING], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    names = listed.stdout.split()
    assert not {name.partition(".")[0] for name in names} & (OURS | {"django"})
    spine = {name for name in names if name.startswith("spine") and not name.startswith("spine.localstore")}
    assert spine == {"spine"}
