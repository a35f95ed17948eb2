"""Rows that many tests share: made once for a class or a module, and each test is rolled back to them."""

import sys

from django.db import transaction


def kept_rows(blocker, make):
    """What `make()` gives, its rows there until the fixture ends; `yield from` it in a fixture of wider scope.

    `blocker` is pytest-django's. For tests of one transaction each: others would not see the rows, and what they
    commit would end here.
    """
    with blocker.unblock():
        whole = transaction.atomic()
        whole.__enter__()
        try:
            made = make()
        except BaseException:
            whole.__exit__(*sys.exc_info())
            raise
    yield made
    with blocker.unblock():
        transaction.set_rollback(True)
        whole.__exit__(None, None, None)
