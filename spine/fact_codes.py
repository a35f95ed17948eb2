"""What a patient brings to the gate as one number, for PostgreSQL to group by, and back again.

The facts have few values each, so that all combinations are some thousands. Grouping by a number takes
half as long as grouping by the facts, most of which are text.
"""

import math
from typing import Any

from django.db.models import BigIntegerField, Case, ExpressionWrapper, F, IntegerField, Value, When

from consent.codes import ConsentState
from spine.gate import Letter

# The values of each of `spine.fact_columns.PATIENT_FACTS`. The first stands for whatever is none of them.
VALUES: dict[str, tuple[Any, ...]] = {
    "consent_state": (
        ConsentState.CONFLICT,
        *(state for state in ConsentState if state is not ConsentState.CONFLICT),
    ),
    "fact_consent_current": (False, True),
    "fact_letter": (Letter.NOT_SENT, Letter.WINDOW_OPEN, Letter.WINDOW_PASSED),
    "fact_gp_holds": (True, False),
    "fact_verified": (False, True),
    "is_sensitive": (True, False),
    "fact_left": (True, False),
    "fact_died": (True, False),
    "fact_permission": ("", "No", "Ask", "Yes"),
}
COMBINATIONS = math.prod(len(values) for values in VALUES.values())


def code_within(whole: str) -> ExpressionWrapper:
    """A column: the facts' code, and above it the number that the column `whole` holds."""
    code, weight = F(whole) * Value(COMBINATIONS), 1
    for name, values in VALUES.items():
        code += _worth(name, values, weight)
        weight *= len(values)
    return ExpressionWrapper(code, output_field=BigIntegerField())


def apart(number: int) -> tuple[int, int]:
    """The value of the `whole` column, and the facts' code."""
    return divmod(number, COMBINATIONS)


def facts_of(code: int) -> dict[str, Any]:
    """The facts that a code stands for."""
    facts = {}
    for name, values in VALUES.items():
        code, place = divmod(code, len(values))
        facts[name] = values[place]
    return facts


def _worth(name: str, values: tuple[Any, ...], weight: int) -> Case:
    """How much a fact adds to the code: nothing for its first value."""
    whens = [When(**{name: value}, then=Value(weight * place)) for place, value in enumerate(values) if place]
    return Case(*whens, default=Value(0), output_field=IntegerField())
