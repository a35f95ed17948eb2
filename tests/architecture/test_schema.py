"""The database has what the models say: migrations can lose an index that no model has lost."""

import pytest
from django.apps import apps
from django.db import connection

TABLES = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]


@pytest.mark.django_db
@pytest.mark.parametrize("model", TABLES, ids=lambda model: model._meta.label)
def test_every_constraint_and_index_of_a_model_is_in_the_database(model):
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    unique = {tuple(one["columns"]) for one in found.values() if one["unique"]}
    first = {
        one["columns"][0] for one in found.values() if one["columns"] and (one["index"] or one["unique"])
    }
    keys = {one["columns"][0] for one in found.values() if one["foreign_key"]}
    named = {one.name for one in [*model._meta.constraints, *model._meta.indexes]}
    assert named <= set(found)
    for field in model._meta.local_concrete_fields:
        assert not field.unique or (field.column,) in unique
        assert not field.db_index or field.column in first
        assert not (field.is_relation and field.db_constraint) or field.column in keys
