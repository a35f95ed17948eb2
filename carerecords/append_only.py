"""Tables that only grow: PostgreSQL itself refuses UPDATE, DELETE and TRUNCATE, raw SQL included.

A migration lists `protect(table)` once for each such table; `AppendOnly` marks the model, and an
architecture test compares the two.
"""

from typing import Any

from django.db import migrations, models

FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The table % only grows: % is refused.', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$
"""


class AppendOnly(models.Model):
    """Rows are added and never changed. A correction is a new row that names the old one."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Inserts; raises `TypeError` for a row that is already stored."""
        if not self._state.adding:
            raise TypeError(f"{type(self).__name__} rows are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Always raises `TypeError`."""
        raise TypeError(f"{type(self).__name__} rows are never deleted.")


def protect(table: str) -> migrations.RunSQL:
    """The migration operation that makes one table append-only."""
    return migrations.RunSQL(
        [
            FUNCTION,
            f'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON "{table}" '
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            f'CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON "{table}" '
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        ],
        [
            f'DROP TRIGGER append_only ON "{table}"',
            f'DROP TRIGGER append_only_truncate ON "{table}"',
        ],
    )
