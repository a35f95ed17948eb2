"""What PostgreSQL writes into its own log when it refuses a statement."""

from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

from carerecords.models import Practice

pytestmark = pytest.mark.django_db


def test_it_quotes_neither_the_statement_nor_the_row(practice):
    with connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        (folder,) = cursor.fetchone()
    log = Path(folder).parent / "postgres.log"
    begin = log.stat().st_size

    with pytest.raises(IntegrityError, match="Written By A Person"), transaction.atomic():
        Practice.objects.create(ods_code=practice.ods_code, name="Written By A Person")

    said = log.read_text()[begin:]
    assert "violates not-null constraint" in said
    assert "Written By A Person" not in said
