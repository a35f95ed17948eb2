"""Append-only tables refuse every change in PostgreSQL itself; pairs of columns are tied."""

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from carerecords.append_only import AppendOnly

APPEND_ONLY = [model for model in apps.get_models() if issubclass(model, AppendOnly)]


def _triggers():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgname LIKE 'append_only%'"
        )
        return set(cursor.fetchall())


@pytest.mark.django_db
def test_every_append_only_model_is_protected_and_no_other():
    tables = {model._meta.db_table for model in APPEND_ONLY}
    assert _triggers() == {(t, name) for t in tables for name in ("append_only", "append_only_truncate")}


@pytest.mark.django_db
@pytest.mark.parametrize("model", APPEND_ONLY, ids=lambda model: model.__name__)
@pytest.mark.parametrize("statement", ["UPDATE {t} SET id = id", "DELETE FROM {t}", "TRUNCATE {t} CASCADE"])
def test_postgresql_refuses_changes(model, statement):
    """Row triggers need a row, so the session is told to skip foreign keys for one made-up row."""
    table = model._meta.db_table
    with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            _insert_anything(cursor, model)
            cursor.execute("SET LOCAL session_replication_role = origin")
            cursor.execute(statement.format(t=table))


def _insert_anything(cursor, model):
    values = {}
    for field in model._meta.concrete_fields:
        if not field.null and not isinstance(field, models.BigAutoField):
            values[field.column] = _value_of(field)
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.CheckConstraint):
            cursor.execute(f'ALTER TABLE {model._meta.db_table} DROP CONSTRAINT "{constraint.name}"')
    columns = ", ".join(f'"{column}"' for column in values)
    marks = ", ".join(["%s"] * len(values))
    cursor.execute(f"INSERT INTO {model._meta.db_table} ({columns}) VALUES ({marks})", list(values.values()))


def _value_of(field):
    kinds = {
        "DateTimeField": "2020-01-06 09:00Z",
        "DateField": "2020-01-06",
        "DurationField": "1 second",
        "UUIDField": "00000000-0000-4000-8000-000000000000",
        "ArrayField": "{}",
        "JSONField": "{}",
        "BooleanField": True,
    }
    kind = field.get_internal_type()
    return kinds.get(kind, "x" if kind in {"CharField", "TextField"} else 1)


def _tied(model):
    return " ".join(str(constraint.deconstruct()) for constraint in model._meta.constraints)


@pytest.mark.parametrize("model", apps.get_models(), ids=lambda model: model._meta.label)
def test_every_optional_at_and_by_pair_is_tied(model):
    """`x_at` and `x_by` that may be null are null together, by a constraint that names both."""
    names = {field.name: field for field in model._meta.concrete_fields}
    if model._meta.app_label not in {"carerecords", "consent", "boycott", "spine", "reports"}:
        return
    for name, field in names.items():
        partner = names.get(f"{name[:-3]}_by") if name.endswith("_at") else None
        if partner is not None and field.null:
            tied = _tied(model)
            assert name in tied and partner.name in tied, f"{model.__name__}.{name} and {partner.name}"
