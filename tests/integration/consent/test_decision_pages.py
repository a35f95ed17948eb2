"""Recording by the pages: who may, what is asked again, what is kept, what is told."""

import datetime
import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from carerecords.models import AccessEvent, Patient, UploadJob
from consent.models import ConsentEvent
from tests.factories import decide, make_patient
from tests.integration.consent.looking import (
    HTMX,
    LIST,
    addresses,
    answers,
    both_ways,
    form_of,
    hidden,
    page_of,
    text,
    undo_of,
    written,
)

pytestmark = pytest.mark.django_db
CORE, MORE, NO, NONE = "EXPRESS_CORE", "EXPRESS_ADDITIONAL", "EXPRESS_DISSENT", "NONE"


# --- Who may ------------------------------------------------------------------------------------

EVERYTHING = {CORE, MORE, NO, NONE}
DESK = {CORE, NO, NONE}
MAY_RECORD = {
    "gp": EVERYTHING,
    "staff": DESK,
    "manager": DESK,
    "api_client": DESK,
    "privacy_officer": set(),
    "policy_admin": set(),
    "national_admin": set(),
    "auditor": set(),
}


@both_ways
@pytest.mark.parametrize("preference", sorted(EVERYTHING))
@pytest.mark.parametrize("who", MAY_RECORD)
def test_a_form_made_by_hand_records_what_the_role_may_and_nothing_else(
    visit, patient, who, preference, more
):
    client, before = visit(who), written()
    answer = client.post(form_of(patient), answers(preference, confirmed="yes"), **more)
    if preference in MAY_RECORD[who]:
        assert answer.status_code == (200 if more else 302)
        assert ConsentEvent.objects.get().preference == preference
    else:
        assert answer.status_code == 403 and written() == before
        assert AccessEvent.objects.get(kind="REFUSED").user == answer.wsgi_request.user


@pytest.mark.parametrize("who", ["stranger", None], ids=["stranger", "nobody"])
def test_who_does_not_belong_here_changes_nothing_and_learns_nothing(client, request, patient, gp, who):
    event = decide(patient, NO, by=gp).event
    if who:
        client.force_login(request.getfixturevalue(who))
    before = written()
    for address in (page_of(patient), form_of(patient), undo_of(event), f"{page_of(patient)}reason/"):
        for answer in (client.get(address), client.post(address, answers()), client.post(address, **HTMX)):
            # An undo is only ever sent: its address says so to everybody.
            assert answer.status_code == (404 if who else 302) or (answer.status_code == 405 and who)
            assert patient.family_name not in answer.content.decode()
    assert written() == before
    assert not AccessEvent.objects.filter(patient=patient).exists()


@pytest.mark.parametrize("who", ["staff", "manager"])
@pytest.mark.parametrize("address", ["", "consent/new/"])
def test_a_sensitive_record_is_refused_to_those_without_the_right(visit, practice, who, address):
    patient = make_patient(practice, is_sensitive=True)
    client, before = visit(who), written()
    for answer in (client.get(page_of(patient) + address), client.post(form_of(patient), answers())):
        assert answer.status_code == 403 and patient.family_name not in answer.content.decode()
    assert written() == before
    assert set(AccessEvent.objects.values_list("kind", "patient")) == {("REFUSED", patient.pk)}


def test_a_gp_says_why_before_a_sensitive_record_opens_and_it_is_kept(visit, practice):
    patient, other = (make_patient(practice, is_sensitive=True) for _ in range(2))
    client, before = visit("gp"), written()
    why = f"{page_of(patient)}reason/"
    for answer in (client.get(page_of(patient)), client.post(form_of(patient), answers())):
        assert answer.status_code == 302 and answer["Location"] == why
    assert patient.family_name not in client.get(why).content.decode()
    asked = client.post(why, {})
    assert "Select why you need to open this record" in text(asked)
    assert client.get(page_of(patient)).status_code == 302 and written() == before
    client.post(why, {"reason": "LETTER_OR_FORM"})
    opened = client.get(page_of(patient))
    assert patient.family_name.upper() in text(opened) and "Hidden: sensitive record" in text(opened)
    assert patient.postcode not in text(opened)
    look = AccessEvent.objects.get(kind="VIEWED")
    assert (look.patient, look.detail) == (patient, "patient, sensitive: LETTER_OR_FORM")
    assert client.get(page_of(other)).status_code == 302


def test_a_privacy_officer_opens_a_sensitive_record_without_a_reason(visit, practice):
    assert visit("privacy_officer").get(page_of(make_patient(practice, is_sensitive=True))).status_code == 200


@pytest.mark.parametrize(("who", "everybody"), [("gp", False), ("staff", False), ("privacy_officer", True)])
def test_who_reads_a_record_is_written_down_and_only_some_see_all_of_it(visit, patient, who, everybody):
    client = visit(who)
    for _ in range(3):
        client.get(page_of(patient))
    looks = AccessEvent.objects.filter(patient=patient, kind="VIEWED")
    assert looks.count() == 3
    assert ("Show everybody who has looked" in text(client.get(page_of(patient)))) == everybody


# --- Recording ----------------------------------------------------------------------------------


def test_recording_leads_back_to_the_row_and_offers_undo(visit, patient):
    client = visit("gp")
    answer = client.post(form_of(patient), answers(**{"from": "decision=NONE&page=2"}))
    assert answer["Location"] == f"{LIST}?decision=NONE#patient-{patient.public_id}"
    told = client.get(answer["Location"])
    assert f"Consent given recorded for {patient.family_name.upper()}, Grace. Uploads wait until" in text(
        told
    )
    assert undo_of(ConsentEvent.objects.get()) in addresses(told)
    look = AccessEvent.objects.get(kind="DECISION")
    assert (look.patient, look.detail) == (patient, "NONE to EXPRESS_CORE")


def test_while_an_upload_is_under_way_the_page_can_be_asked_again(visit, patient):
    page, client = page_of(patient), visit("gp")
    assert "Refresh" not in client.get(page).content.decode()
    job = decide(patient).job
    for state, lease in (("WAITING", None), ("SENDING", timezone.now()), ("IN_DOUBT", None)):
        UploadJob.objects.filter(pk=job.pk).update(state=state, lease_until=lease)
        html = client.get(f"{page}?from=decision%3DNONE").content.decode()
        [again] = re.findall(r'href="([^"]+)">Refresh', html)
        assert again == f"{page}?from=decision%3DNONE"
    UploadJob.objects.filter(pk=job.pk).update(state="ACCEPTED", due_at=None, finished_at=timezone.now())
    assert "Refresh" not in client.get(page).content.decode()


def test_the_way_back_never_leads_elsewhere(visit, patient):
    client = visit("gp")
    evil = {"from": "//evil.example/?x=1&s=<script>&decision=EVIL"}
    answer = client.post(form_of(patient), answers(**evil))
    assert answer["Location"] == f"{LIST}#patient-{patient.public_id}"
    page = client.get(page_of(patient), evil)
    assert not [address for address in addresses(page) if "evil" in address or "script>" in address]


def test_in_the_list_the_row_alone_comes_back(visit, patient):
    answer = visit("gp").post(form_of(patient), answers(), **HTMX)
    body = answer.content.decode()
    assert body.lstrip().startswith("<tbody") and "<html" not in body
    assert f'data-care-announce="Consent given recorded for {patient.family_name.upper()}, Grace.' in body
    assert undo_of(ConsentEvent.objects.get()) in addresses(answer)


def test_the_row_opens_and_closes_its_form(visit, patient):
    client = visit("gp")
    opened = client.get(form_of(patient), **HTMX)
    assert form_of(patient) in addresses(opened) and hidden(opened)["form_key"]
    closed = client.get(f"{form_of(patient)}?close", **HTMX)
    assert "form_key" not in hidden(closed) and closed.content.decode().lstrip().startswith("<tbody")
    assert client.get(form_of(patient))["Location"] == f"{page_of(patient)}#decision"


@pytest.mark.parametrize(
    "wrong",
    [
        {"preference": ""},
        {"source": ""},
        {"decided_on_month": "Mai"},
        {"decided_on_year": "2099"},
        {"source": "LETTER", "reference": ""},
        {"source": "REPRESENTATIVE"},
    ],
    ids=str,
)
@both_ways
def test_what_was_typed_is_kept_on_an_error_and_nothing_is_recorded(visit, patient, wrong, more):
    client, before = visit("gp"), written()
    key = str(uuid.uuid4())
    typed = {"reference": 'L "17" & <co>', "note": "Two\nlines <b>", "form_key": key, "from": "sort=decided"}
    answer = client.post(form_of(patient), answers(**typed | wrong), **more)
    body = answer.content.decode()
    assert answer.status_code == 200 and "There is a problem" in text(answer)
    assert more or text(answer).lstrip().startswith("Error: ")
    sent = answers(**typed | wrong)
    for name in ("decided_on_day", "decided_on_month", "decided_on_year"):
        assert f'name="{name}" type="text" inputmode="numeric" value="{sent[name]}"' in body or (
            f'value="{sent[name]}"' in body
        )
    assert sent["reference"] == "" or "L &#34;17&#34; &amp; &lt;co&gt;" in body
    assert more or "Two\nlines &lt;b&gt;" in body
    assert hidden(answer)["form_key"] == key and hidden(answer)["from"] == "sort=decided"
    chosen = [
        sent[name] for name in ("preference", "source") if sent[name] and sent[name] != "REPRESENTATIVE"
    ]
    assert all(f'value="{value}" checked' in body for value in chosen)
    assert written() == before


def test_todays_date_is_filled_in_and_everything_else_kept_without_complaint(visit, patient):
    client, before = visit("gp"), written()
    empty = {"decided_on_day": "", "decided_on_month": "", "decided_on_year": ""}
    answer = client.post(form_of(patient), answers("", note="Kept", today="yes", **empty))
    today = timezone.localdate()
    body = answer.content.decode()
    assert "There is a problem" not in text(answer) and "Kept" in body
    assert all(f'value="{part}"' in body for part in (today.day, today.month, today.year))
    assert written() == before


@pytest.mark.parametrize(
    ("before", "sent", "heading"),
    [
        (NO, answers(CORE), "Grace {family} refused on {today}. Record consent now?"),
        (None, answers(MORE), "Check and confirm"),
        (
            None,
            answers(
                NO,
                source="REPRESENTATIVE",
                representative_name="Ann Son",
                representative_authority="Attorney",
            ),
            "Check and confirm",
        ),
    ],
    ids=["refusal to consent", "additional information", "representative"],
)
def test_what_is_likely_a_mistake_or_risky_is_asked_once_more(visit, patient, gp, before, sent, heading):
    seen = decide(patient, before, by=gp).event.public_id if before else ""
    client, state = visit("gp"), written()
    sent = sent | {"seen": seen, "note": "Said <twice>"}
    asked = client.post(form_of(patient), sent)
    today = timezone.localdate()
    words = {"family": patient.family_name, "today": f"{today.day} {today:%B %Y}"}
    assert heading.format(**words) in text(asked) and written() == state
    again = hidden(asked)
    changed = client.post(form_of(patient), again | {"change": "yes"})
    assert f'value="{sent["preference"]}" checked' in changed.content.decode() and written() == state
    assert client.post(form_of(patient), again).status_code == 302
    event = ConsentEvent.objects.order_by("-pk").first()
    assert (event.preference, event.note) == (sent["preference"], "Said <twice>")


def test_ordinary_consent_and_refusal_are_not_asked_twice(visit, patient):
    client = visit("gp")
    client.post(form_of(patient), answers(CORE))
    seen = ConsentEvent.objects.get().public_id
    client.post(form_of(patient), answers(NO, seen=seen))
    assert [event.preference for event in ConsentEvent.objects.order_by("pk")] == [CORE, NO]


@both_ways
def test_a_form_sent_twice_records_once_and_says_the_same(visit, patient, more):
    client = visit("gp")
    sent = answers(form_key=str(uuid.uuid4()), seen="")
    first = client.post(form_of(patient), sent, **more)
    second = client.post(form_of(patient), sent, **more)
    assert first.status_code == second.status_code == (200 if more else 302)
    assert ConsentEvent.objects.count() == 1 and AccessEvent.objects.filter(kind="DECISION").count() == 1


def test_a_form_sent_again_after_the_undo_asks_instead_of_claiming(visit, patient, gp):
    client = visit("gp")
    sent = answers(form_key=str(uuid.uuid4()), seen="")
    client.post(form_of(patient), sent)
    client.post(undo_of(ConsentEvent.objects.get()))
    before = written()
    answer = client.post(form_of(patient), sent)
    assert answer.status_code == 409 and written() == before
    assert f"{gp.short_name} undid a decision at" in text(answer)
    assert client.post(form_of(patient), hidden(answer)).status_code == 302
    assert Patient.objects.get().consent_state == CORE


@both_ways
def test_a_record_that_changed_meanwhile_shows_both_answers_and_keeps_mine(visit, patient, staff, more):
    decide(patient, NO, by=staff, reference="Theirs 1")
    client, before = visit("gp"), written()
    answer = client.post(form_of(patient), answers(note="Mine 2", seen=""), **more)
    assert answer.status_code == 409 and written() == before
    told = text(answer)
    assert f"{staff.short_name} recorded Consent refused at" in told and "was not saved" in told
    assert "Theirs 1" in told and "Mine 2" in told
    mine = hidden(answer)
    assert mine["seen"] == str(ConsentEvent.objects.get().public_id) and mine["note"] == "Mine 2"
    client.post(form_of(patient), mine | {"confirmed": "yes"}, **more)
    assert Patient.objects.get().consent_state == CORE


@pytest.mark.parametrize("seen", ["not an id", str(uuid.uuid4())])
def test_a_form_with_a_made_up_history_records_nothing(visit, patient, seen):
    client, before = visit("gp"), written()
    assert client.post(form_of(patient), answers(seen=seen)).status_code in {200, 409}
    assert written() == before


@both_ways
@pytest.mark.parametrize("gone", ["died_on", "left_on"])
def test_nothing_is_recorded_for_a_patient_who_is_gone(visit, practice, gone, more):
    patient = make_patient(practice, **{gone: timezone.localdate()})
    client, before = visit("gp"), written()
    answer = client.post(form_of(patient), answers(), **more)
    assert answer.status_code == (204 if more else 302) and written() == before
    page = client.get(page_of(patient))
    assert "No decision can be recorded, and nothing is uploaded." in text(page)
    assert "form_key" not in hidden(page)


def test_a_child_needs_the_long_form(visit, practice):
    child = make_patient(practice, born_on=timezone.localdate() - datetime.timedelta(days=3000))
    client = visit("gp")
    assert f'hx-get="{form_of(child)}' not in client.get(LIST).content.decode()
    assert "Select who decided" in text(client.post(form_of(child), answers()))
    named = answers(who_decided="REPRESENTATIVE", representative_name="Ann Parent", confirmed="yes")
    assert client.post(form_of(child), named).status_code == 302


# --- Cost, and where names may stand --------------------------------------------------------------


def queries_of(client, address):
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_the_patient_page_asks_as_often_for_forty_events_as_for_one(visit, patient, gp):
    decide(patient, by=gp)
    client = visit("gp")
    client.get(page_of(patient))
    few = queries_of(client, page_of(patient))
    for number in range(40):
        decide(patient, NO if number % 2 else CORE, by=gp)
    assert queries_of(client, page_of(patient)) == few <= 20


def test_no_address_and_no_line_of_the_log_names_the_patient(visit, practice, gp):
    patient = make_patient(
        practice,
        family_name="Zzyzxworth",
        given_name="Qwendolyn",
        address="7 Plugh Lane",
        postcode="ZZ9 9ZZ",
        born_on=datetime.date(1951, 9, 17),
    )
    facts = ["zzyzx", "qwendo", "plugh", "zz9", patient.nhs_number, "1951", str(patient.pk).zfill(6)]
    client = visit("gp")
    answer = client.post(form_of(patient), answers(NO, note="zzyzx and plugh", reference="ZZ9 9ZZ"))
    pages = [
        client.get(LIST),
        client.get(page_of(patient), {"from": ""}),
        client.get(form_of(patient), **HTMX),
        client.post(form_of(patient), answers("")),
        client.post(form_of(patient), answers(MORE, seen=ConsentEvent.objects.get().public_id)),
        client.post(form_of(patient), answers(CORE, seen="")),
    ]
    assert pages[-1].status_code == 409
    links = [answer["Location"], *(address for page in pages for address in addresses(page))]
    assert any(str(patient.public_id) in link for link in links)
    details = list(AccessEvent.objects.values_list("detail", flat=True))
    for line in [*links, *details]:
        assert not [fact for fact in facts if fact in line.lower()], line
