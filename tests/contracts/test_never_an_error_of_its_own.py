"""Whatever is sent, the store answers by its rules and never with an error of its own."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.calls import ROLE, bundle, data, new_id, permission

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
GOOD = {
    "/Bundle": bundle("9990000018", new_id()),
    "/$setPermission": permission("9990000018", "Ask"),
    "/AuditEvent": json.loads(data("uat-pairs/send_alert/success/1-basic.request.json")),
}


def places(value, way=()):
    """The way to every item within a resource."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield (*way, name)
        yield from places(item, (*way, name))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draw=st.data())
def test_one_item_anything(store, draw):
    path = draw.draw(st.sampled_from(sorted(GOOD)))
    made = json.loads(json.dumps(GOOD[path]))
    *way, last = draw.draw(st.sampled_from(list(places(made))))
    place = made
    for step in way:
        place = place[step]
    place[last] = draw.draw(ANYTHING)
    answer = store.post(path, json.dumps(made).encode(), NHSD_Session_URID=ROLE)
    assert answer.status in (201, 400)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(sorted(GOOD)),
    body=st.binary(max_size=200) | ANYTHING.map(json.dumps).map(str.encode),
)
def test_any_body(store, path, body):
    assert store.post(path, body, NHSD_Session_URID=ROLE).status == 400
