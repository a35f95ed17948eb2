"""The pages of runs: forms in the user's words, what the programme is told, strangers, costs."""

import datetime
import html
import io
import re

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from carerecords.confirmation import Confirmation
from carerecords.models import Patient, Practice, UploadJob
from carerecords.permissions import Role
from consent.codes import Preference
from spine.models import SendingRow, SendingRun, SendingShare
from spine.runs import actions
from spine.runs.codes import RunGroup, RunKind
from spine.runs.forecast import forecast
from spine.runs.hours import SendingHours
from spine.runs.progress import by_practice, progress_of
from tests.factories import decide, make_list, make_patient, make_practice, make_user
from tests.integration.spine.running import fed, make_run, started
from tests.logging_in import PASSWORD, give_password

ASKED = {"kind": "INITIAL", "group": "ALL", "hours": "ANY", "opens": "7pm", "closes": "7am"}


@pytest.fixture
def desk(manager, client):
    client.force_login(manager)
    return client


def press(client, name, run, **data):
    return client.post(reverse(f"spine:{name}", args=[run.public_id]), data)


def text_of(client, name, *ids):
    answer = client.get(reverse(f"spine:{name}", args=ids))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize("national", [False, True], ids=["practice", "programme"])
@pytest.mark.parametrize("kind", [RunKind.INITIAL, RunKind.UPDATE])
def test_an_update_promises_to_send_only_what_has_changed(
    client, practice, manager, national_admin, kind, national
):
    """Who has changed is known once the record is read: until then it is said of nobody that they are sent."""
    by = national_admin if national else manager
    made = made_for(practice, by, "") | {"kind": kind} | ({"practice": None} if national else {})
    run = actions.make(**made)
    client.force_login(by)
    page = text_of(client, "run_check", run.public_id)
    compares = kind is RunKind.UPDATE
    assert ("Would be compared with the Spine’s copy" in page) is compares
    assert ("And sent where the record has changed" in page) is compares
    assert ("Would be sent" in page) is not compares


def test_from_the_form_to_the_end(desk, practice, manager):
    patient = make_patient(practice)
    decide(patient)
    UploadJob.objects.all().delete()
    answer = desk.post(reverse("spine:run_new"), ASKED)
    run = SendingRun.objects.get()
    assert answer.url == reverse("spine:run_check", args=[run.public_id])
    page = text_of(desk, "run_check", run.public_id)
    assert "Start the run for 1 patient" in page and not UploadJob.objects.exists()
    assert press(desk, "run_check", run, as_at=timezone.now().isoformat()).status_code == 302
    run.refresh_from_db()
    assert run.state == "RUNNING"
    fed(run)
    assert "Running: 0 of 1 done." in text_of(desk, "run", run.public_id)
    press(desk, "run_step", run, do="pause")
    assert "Paused: 0 of 1 done. Nothing of it is sent." in text_of(desk, "run", run.public_id)
    press(desk, "run_step", run, do="pause")
    assert run.steps.count() == 3
    press(desk, "run_step", run, do="resume")
    assert "Keep the run" in text_of(desk, "run_cancel", run.public_id)
    press(desk, "run_cancel", run)
    assert "Cancelled: 0 of 1 went to the Spine, 1 stopped by cancelling it." in text_of(
        desk, "run", run.public_id
    )
    for line in ("Made", "Started", "Paused", "Resumed", "Cancelled"):
        assert line in text_of(desk, "run", run.public_id)
    assert UploadJob.objects.get().state == "CANCELLED"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"kind": ""}, "Select what the run should do"),
        ({"kind": "NEVER"}, "Select what the run should do"),
        ({"group": ""}, "Select for which patients"),
        ({"hours": ""}, "Select when it may send"),
        ({"hours": "EVERY_DAY", "opens": ""}, "Enter the time at which sending begins"),
        ({"hours": "EVERY_DAY", "closes": "25:00"}, "End of sending must be a time, like 6am or 6:30pm"),
        ({"hours": "WEEKENDS_TOO", "opens": "7am"}, "The two times must differ"),
        ({"older_than_days": "some"}, "Number of days must be a whole number, like 30"),
        ({"older_than_days": "0"}, "Number of days must be 1 or more"),
        (
            {"older_than_days": "40"},
            "Leave the number of days empty: only an update goes by how old copies are",
        ),
    ],
)
def test_what_the_form_says(desk, wrong, told):
    answer = desk.post(reverse("spine:run_new"), ASKED | wrong)
    assert answer.status_code == 200 and told in answer.content.decode()
    assert not SendingRun.objects.exists()


@pytest.mark.parametrize("kind", RunKind)
def test_only_an_update_goes_by_the_age_of_copies(desk, kind):
    """A number beside another kind is not dropped in silence: it is refused, and stays in its field."""
    answer = desk.post(reverse("spine:run_new"), ASKED | {"kind": kind.value, "older_than_days": "40"})
    if kind is RunKind.UPDATE:
        assert answer.status_code == 302 and SendingRun.objects.get().older_than_days == 40
        return
    page = answer.content.decode()
    assert 'id="id_older_than_days-error"' in page or 'id="older_than_days-error"' in page
    assert 'value="40"' in page and not SendingRun.objects.exists()


def test_times_that_were_left_over_count_for_nothing(desk):
    """And what was typed stays for whoever changes their mind."""
    left_over = ASKED | {"opens": "soon", "closes": "7:60"}
    told = desk.post(reverse("spine:run_new"), left_over | {"kind": ""}).content.decode()
    assert "Select what the run should do" in told and "must be a time" not in told
    assert 'value="soon"' in told and 'value="7:60"' in told and not SendingRun.objects.exists()
    assert desk.post(reverse("spine:run_new"), left_over).status_code == 302
    assert SendingRun.objects.get().sending_hours == SendingHours()
    missing = desk.post(reverse("spine:run_new"), left_over | {"hours": "EVERY_DAY"}).content.decode()
    assert "Start of sending must be a time, like" in missing


def test_a_practice_that_contributes_makes_no_run_that_says_otherwise(desk):
    told = desk.post(reverse("spine:run_new"), ASKED | {"kind": "ENDED"}).content.decode()
    assert "This practice contributes." in told and not SendingRun.objects.exists()


def test_a_run_for_a_filter_of_the_list(desk, practice, gp):
    """From the list to the check page; a search, which names people, is left out."""
    for age, number in ((1950, 3), (2000, 2)):
        for one in make_list(practice, number, born_on=datetime.date(age, 1, 1)):
            decide(one, by=gp)
    UploadJob.objects.all().delete()
    assert "Run uploads for all matching" not in desk.get("/patients/").content.decode()
    listed = desk.get("/patients/", {"age": "65"}).content.decode()
    [address] = re.findall(r'href="(/uploads/runs/new/[^"]*)"', listed)
    page = desk.get(html.unescape(address) + "&s=secret").content.decode()
    assert "Only patients who match the filters of the list" in page and "secret" not in page
    asked = ASKED | {"list_filter": "age=65&s=secret&page=3"}
    told = desk.post(reverse("spine:run_new"), asked | {"kind": "LEAVERS"}).content.decode()
    assert "Patients who have left are not in the list" in told
    desk.post(reverse("spine:run_new"), asked)
    run = SendingRun.objects.get()
    assert run.list_filter == "age=65"
    assert "Start the run for 3 patients" in text_of(desk, "run_check", run.public_id)
    actions.start(run, by=run.made_by, at=timezone.now())
    assert fed(run).rows.count() == 3
    # A GP who left is nobody's: the run must not widen to everybody.
    gone = actions.make(**made_for(practice, run.made_by, "gp=00000000-0000-4000-8000-000000000000"))
    assert forecast(gone, timezone.now()).patients == 0


def made_for(practice, by, list_filter):
    return {
        "practice": practice,
        "practices": Practice.objects.filter(pk=practice.pk),
        "kind": RunKind.INITIAL,
        "group": RunGroup.ALL,
        "older_than_days": None,
        "hours": SendingHours(),
        "list_filter": list_filter,
        "by": by,
        "at": timezone.now(),
    }


def test_by_command_in_ones_own_name(practice, gp, manager):
    decide(make_patient(practice), by=gp)
    UploadJob.objects.all().delete()
    run = started(practice, by=manager)
    give_password(manager)
    give_password(gp)

    def told(*words, who=None):
        out = io.StringIO()
        typed = io.StringIO(f"{who.email}\n{PASSWORD}\n" if who else "")
        call_command("upload_runs", *words, stdout=out, stdin=typed)
        return out.getvalue()

    assert told("list") == f"{run.public_id} {practice.ods_code} First upload. Running: 0 of 1 done.\n"
    with pytest.raises(CommandError, match="cannot run the uploads"):
        told("pause", str(run.public_id), who=gp)
    with pytest.raises(CommandError, match="There is no run"):
        told("pause", "0", who=manager)
    assert "Paused: 0 of 1 done." in told("pause", str(run.public_id), who=manager)
    assert "Running: 0 of 1 done." in told("resume", str(run.public_id), who=manager)
    assert "Cancelled" in told("cancel", str(run.public_id), who=manager)
    assert told("list") == "No run is under way.\n"
    assert list(run.steps.values_list("made_by", flat=True)) == [manager.pk] * 5


def test_old_figures_start_nothing(desk, practice):
    decide(make_patient(practice))
    run = make_run(practice)
    for as_at in ("", "never", (timezone.now() - datetime.timedelta(minutes=31)).isoformat()):
        assert "over 30 minutes old" in press(desk, "run_check", run, as_at=as_at).content.decode()
    run.refresh_from_db()
    assert run.state == "DRAFT"


def test_the_programme_chooses_practices_and_sees_no_patient(practice, national_admin, client):
    make_list(practice, 3)
    elsewhere = make_practice(region_code="Y60", region_name="Midlands")
    make_practice(region_code="Y60", region_name="Midlands", goes_live_on=None)
    client.force_login(national_admin)
    asked = {"where": "CODES", "ods_codes": f"{practice.ods_code} X99999"}
    told = client.post(reverse("spine:run_new"), ASKED | asked).content.decode()
    assert "There is no practice X99999" in told and not SendingRun.objects.exists()
    for asked, number in (
        ({"where": "CODES", "ods_codes": practice.ods_code}, 1),
        ({"where": "REGION", "region": "Y60"}, 1),
        ({"where": "JOINED"}, 2),
    ):
        client.post(reverse("spine:run_new"), ASKED | asked)
        run = SendingRun.objects.latest("pk")
        assert run.practice is None and run.shares.count() == number
    assert SendingShare.objects.filter(practice=elsewhere).count() == 2
    # Logged in long ago: asked for the password before thousands of practices begin to send.
    session = client.session
    session["account_authentication_methods"] = []
    session.save()
    answer = press(client, "run_check", run, as_at=timezone.now().isoformat())
    assert answer.url.startswith(reverse("account_reauthenticate"))
    run.refresh_from_db()
    assert run.state == "DRAFT"


def test_the_programme_and_practices_see_each_other(practice, manager, national_admin, client):
    """The programme sees numbers by practice; a practice sees that it is in a run, and what it asks for."""
    decide(make_patient(practice, family_name="Adeyemi"))
    decide(make_patient(practice, identity="UNVERIFIED"))
    UploadJob.objects.all().delete()
    run = actions.make(**made_for(practice, national_admin, "") | {"practice": None})
    client.force_login(manager)
    assert "Runs of the programme" not in text_of(client, "runs")
    proof = Confirmation(national_admin.pk, timezone.now())
    actions.start(run, by=national_admin, at=timezone.now(), confirmed=proof)
    fed(run)
    UploadJob.objects.filter(patient__identity="UNVERIFIED").update(state="HELD", due_at=None)
    SendingRow.objects.create(run=run, patient=make_patient(practice), why="consent.refused")
    [one] = by_practice(run, 20)
    assert (one.ods_code, one.to_go, one.held, one.failed, one.total) == (practice.ods_code, 1, 1, 0, 3)
    assert "Runs of the programme that include your practice" in text_of(client, "runs")
    assert client.get(reverse("spine:run", args=[run.public_id])).status_code == 404
    client.force_login(national_admin)
    page = text_of(client, "run", run.public_id)
    assert practice.ods_code in page and "ADEYEMI" not in page and "/uploads/?run" not in page
    # How few refused at a practice is not told outside it.
    assert "The patient refused" not in page and "of fewer than 5 patients each" in page


def test_how_few_refused_cannot_be_worked_out(practice, national_admin, client):
    """Not from a total, nor from the other figures: on the check page, while it runs, and when it is over."""
    gp = make_user(Role.GP, practice)
    for number in range(15):
        patient = make_patient(practice, usual_gp=gp)
        decide(patient, Preference.EXPRESS_DISSENT if number < 3 else Preference.EXPRESS_CORE, by=gp)
    UploadJob.objects.all().delete()
    run = actions.make(
        **made_for(practice, national_admin, "") | {"practice": None, "kind": RunKind.MIGRATION}
    )
    client.force_login(national_admin)
    assert forecast(run, timezone.now()).removals == 3
    page = text_of(client, "run_check", run.public_id)
    assert "for 15 patients" in page and "fewer than 5" in page and not {"3", "12"} & words(page)
    proof = Confirmation(national_admin.pk, timezone.now())
    actions.start(run, by=national_admin, at=timezone.now(), confirmed=proof)
    fed(run)
    # Removals go first.
    UploadJob.objects.filter(kind="WITHDRAWAL").update(
        state="CANCELLED", reasons=["store.nothing"], due_at=None, finished_at=timezone.now()
    )
    told = text_of(client, "run", run.public_id)
    assert "some of 15 done" in told and "Nothing to send or waiting to be sent" in told
    assert not {"3", "12"} & words(told)
    assert "some of 15" in text_of(client, "run_cancel", run.public_id)
    UploadJob.objects.filter(kind="UPLOAD").update(
        state="FAILED", reasons=["tech.failed"], due_at=None, finished_at=timezone.now()
    )
    assert fed(run).state == "FINISHED"
    told = text_of(client, "run", run.public_id)
    assert "Finished: 15 patients." in told and "Nothing to send or failed" in told
    assert "not told" in told and not {"3", "12"} & words(told)


def test_how_few_refused_cannot_be_told_from_two_runs(practice, national_admin, client):
    """One of all patients, and one of those who consent."""
    gp = make_user(Role.GP, practice)
    for number in range(24):
        patient = make_patient(practice, usual_gp=gp)
        decide(patient, Preference.EXPRESS_DISSENT if number < 3 else Preference.EXPRESS_CORE, by=gp)
    UploadJob.objects.all().delete()
    asked = made_for(practice, national_admin, "") | {"practice": None, "kind": RunKind.MIGRATION}
    client.force_login(national_admin)
    pages = {}
    for group in (RunGroup.ALL, RunGroup.EXPRESS):
        run = actions.make(**asked | {"group": group})
        pages[group] = text_of(client, "run_check", run.public_id)
        proof = Confirmation(national_admin.pk, timezone.now())
        actions.start(run, by=national_admin, at=timezone.now(), confirmed=proof)
        fed(run)
        pages[group] += text_of(client, "run", run.public_id) + text_of(client, "run_cancel", run.public_id)
        actions.cancel(run, by=national_admin, at=timezone.now())
    assert "for 25 patients" in pages[RunGroup.ALL] and "for 20 patients" in pages[RunGroup.EXPRESS]
    for page in pages.values():
        assert not {"3", "21", "24"} & words(page) and "to the nearest 5" in page


def words(page):
    """The words of a page that are read, without dates and addresses."""
    read = re.sub(r"<script.*?</script>|<svg.*?</svg>|<header.*?</header>|<[^>]*>", " ", page)
    return set(re.sub(r"\d+ [A-Z][a-z]+ \d{4}|\d+:\d+", "", read).split())


def test_strangers_learn_nothing(practice, stranger, national_admin):
    run = make_run(practice)
    others = make_user(Role.PRACTICE_MANAGER, stranger.assignments.get().practice)
    for user in (others, national_admin):
        client = Client()
        client.force_login(user)
        for name in ("run", "run_check", "run_cancel"):
            assert client.get(reverse(f"spine:{name}", args=[run.public_id])).status_code == 404
        assert press(client, "run_step", run, do="pause").status_code == 404
        assert str(run.public_id) not in text_of(client, "runs")
    assert run.steps.count() == 1


def test_pages_cost_the_same_however_many_patients(desk, practice):
    """And however many steps: constant queries on each page."""
    text_of(desk, "runs")
    costs = []
    for number in (1, 40):
        patients = make_list(practice, number)
        Patient.objects.filter(pk__in=[one.pk for one in patients]).update(consent_state="EXPRESS_CORE")
        run = started(practice)
        cost = []
        for name in ("runs", "run", "run_check", "uploads"):
            ids = (
                []
                if name in {"runs", "uploads"}
                else [(run if name == "run" else make_run(practice)).public_id]
            )
            with CaptureQueriesContext(connection) as captured:
                text_of(desk, name, *ids)
            cost.append(len(captured))
        costs.append(cost)
        actions.cancel(run, by=run.made_by, at=timezone.now())
    assert costs[0] == costs[1], costs
    assert max(costs[1]) <= 16, costs


def test_progress_counts_everybody_once(db, practice):
    for state in ("ACCEPTED", "FAILED", "HELD", "CANCELLED", "WAITING"):
        decide(make_patient(practice, family_name=state))
    UploadJob.objects.all().delete()
    make_patient(practice)
    run = started(practice)
    for job in UploadJob.objects.select_related("patient"):
        over = job.patient.family_name in {"ACCEPTED", "FAILED", "CANCELLED"}
        UploadJob.objects.filter(pk=job.pk).update(
            state=job.patient.family_name,
            finished_at=timezone.now() if over else None,
            reasons=["store.same"] if job.patient.family_name == "CANCELLED" else [],
        )
    progress = progress_of(run)
    assert {part.key: part.number for part in progress.parts} == dict.fromkeys(
        ["sent", "same", "waiting", "held", "failed", "left_out"], 1
    )
    assert (progress.total, progress.done, progress.to_go) == (6, 5, 1)


def test_the_list_of_uploads_shows_those_of_a_run(desk, practice):
    decide(make_patient(practice, family_name="Outside"))
    inside = make_patient(practice, family_name="Inside")
    decide(inside)
    UploadJob.objects.filter(patient=inside).delete()
    run = started(practice)
    address = reverse("spine:uploads")
    listed = desk.get(address, {"run": str(run.public_id), "state": "WAITING"}).content.decode()
    assert "INSIDE" in listed and "OUTSIDE" not in listed and "Of one run" in listed
    assert "OUTSIDE" in desk.get(address, {"run": "x"}).content.decode()
