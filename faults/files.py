"""Files of decisions, imported as a practice does it: sent in by one, approved by another, applied in the background."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from bench.decision_files import decisions
from faults.people import Surgery


@dataclass
class Importer:
    """Who sends files in, each of another day long ago. What became of their rows is counted."""

    surgery: Surgery
    rows: int = 0
    changed: int = 0
    skipped: int = 0
    files: int = 0
    _days: "count[int]" = field(default_factory=lambda: count(1))

    def send_in(self, numbers: Sequence[str], *, consent: bool) -> None:
        """One file with a decision for each NHS number, from its upload to the end of its run.

        Raises `AssertionError` where it does not come to that end.
        """
        made = self._checked(numbers, "consent" if consent else "refuse")
        run = self._applied(made)
        if run.state != "DONE" or run.done != made.writes:
            raise AssertionError(f"A file of {made.writes} decisions is {run.state}, with {run.done} done")
        self.files += 1
        self.rows += len(numbers)
        self.changed += run.changed
        self.skipped += run.skipped

    def _checked(self, numbers: Sequence[str], what: str) -> Any:
        from django.utils import timezone

        from consent.codes import ImportKind
        from consent.imports.checking import check
        from consent.imports.files import BY_COMMAND
        from consent.imports.staging import stage

        made = stage(
            practice=self.surgery.practice,
            kind=ImportKind.DECISIONS,
            file=io.BytesIO(decisions(list(numbers), next(self._days), what).encode()),
            name="decisions.csv",
            limits=BY_COMMAND,
            by=self.surgery.gp,
            at=timezone.now(),
        )
        check(import_id=made.pk, at=timezone.now())
        made.refresh_from_db()
        return made

    def _applied(self, made: Any) -> Any:
        from django.utils import timezone

        from carerecords.permissions import Role
        from consent import bulk_runs
        from consent.imports.actions import approve

        may = Role.PRACTICE_MANAGER.rule.permissions
        run = approve(made=made, by=self.surgery.manager, may=may, at=timezone.now()).run
        assert run is not None
        bulk_runs.work(run.public_id, timezone.now)
        run.refresh_from_db()
        return run
