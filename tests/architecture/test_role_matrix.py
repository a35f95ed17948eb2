"""Who may do what at every door of the project, page and API, written out for people to check.

`carerecords.permissions` says what a role includes and each view says what it needs; this table says
what comes of both. A change of either that opens a door must change a line here.
"""

from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from boycott.models import (
    ChangeStep,
    GpStanceRevision,
    GuidanceAcknowledgement,
    GuidancePublication,
    GuidanceRevision,
    MotionRevision,
    NoticeRead,
    PositionRevision,
    StanceRevision,
    Survey,
    SurveyAnswer,
    SurveyClosing,
    SurveyOpening,
)
from carerecords.models import AccessEvent, UploadJob
from carerecords.permissions import Role, roles_with
from consent.models import ConsentEvent
from spine.models import PermissionCall, SendingRunStep, StopRevision, StopStep, UploadStep
from tests.architecture.test_urls import ROUTES, WITHOUT_PERMISSION, address_of, logged_in
from tests.factories import make_patient, make_user
from tests.named_things import ids_for, with_sheet_of, with_survey_of

pytestmark = pytest.mark.django_db

# x: let in.  .: told that the role cannot (403).  -: there is no such thing for this role (404).
COLUMNS = [
    Role.GP,
    Role.STAFF,
    Role.PRACTICE_MANAGER,
    Role.PRIVACY_OFFICER,
    Role.API_CLIENT,
    Role.POLICY_ADMIN,
    Role.NATIONAL_ADMIN,
    Role.AUDITOR,
]
DOORS = """
    GET  home                        xxxx x xxx
    GET  consent:list                xxxx x ...
    GET  consent:search              xxxx x ...
    POST consent:search              xxxx x ...
    GET  consent:patient             xxxx x ...
    GET  consent:reason              x..x . ...
    POST consent:reason              x..x . ...
    GET  consent:record              xxx. x ...
    POST consent:record              xxx. x ...
    POST consent:undo                x.xx . ...
    GET  consent:invalid             x.xx . ...
    POST consent:invalid             x.xx . ...
    POST consent:confirm             x..x . ...
    POST consent:letter_returned     xxx. x ...
    GET  consent:history             xxxx x ...
    GET  consent:access              ...x . ...
    POST consent:draft               xxx. x ...
    GET  sheet:start                 xxx. x ...
    POST sheet:start                 xxx. x ...
    GET  sheet:sheet                 xxx. x ...
    POST sheet:sheet                 xxx. x ...
    POST sheet:draft                 xxx. x ...
    POST sheet:row                   xxx. x ...
    GET  sheet:defer                 xxx. x ...
    POST sheet:defer                 xxx. x ...
    GET  imports:list                xxx. . ...
    GET  imports:new                 .xx. . ...
    POST imports:new                 .xx. . ...
    GET  imports:import              xxx. . ...
    POST imports:approve             x.x. . ...
    POST imports:cancel              xxx. . ...
    POST imports:undo                x.x. . ...
    GET  imports:errors              xxx. . ...
    GET  imports:template_decisions_csv .xx. . ...
    GET  imports:template_decisions_xlsx .xx. . ...
    GET  imports:template_letters_csv .xx. . ...
    GET  imports:template_letters_xlsx .xx. . ...
    GET  imports:template_patients_csv .xx. . ...
    GET  imports:template_patients_xlsx .xx. . ...
    GET  bulk:runs                   x.x. . ...
    GET  bulk:new                    x.x. . ...
    POST bulk:new                    x.x. . ...
    GET  bulk:check                  x.x. . ...
    POST bulk:check                  x.x. . ...
    GET  bulk:run                    x.x. . ...
    GET  bulk:undo                   x.x. . ...
    POST bulk:undo                   x.x. . ...
    GET  bulk:export                 x.xx . ...
    POST bulk:export                 x.xx . ...
    GET  bulk:results                x.xx . ...
    POST bulk:results                x.xx . ...
    GET  boycott:policy              xxxx x xxx
    GET  boycott:motions             xxxx x xxx
    GET  boycott:motion              xxxx x xxx
    GET  boycott:motion_new          .... . x..
    POST boycott:motion_new          .... . x..
    GET  boycott:motion_edit         .... . x..
    POST boycott:motion_edit         .... . x..
    GET  boycott:changes             .... . xxx
    POST boycott:read_notice         .... . ---
    GET  spine:change_new            .... . x..
    POST spine:change_new            .... . x..
    GET  spine:change                .... . xxx
    GET  spine:change_edit           .... . x..
    POST spine:change_edit           .... . x..
    GET  spine:change_practices      .... . xxx
    GET  spine:change_reopening      .... . xxx
    GET  spine:stop_reopening        .... . ---
    POST spine:change_submit         .... . x..
    GET  spine:change_approve        .... . xx.
    POST spine:change_approve        .... . xx.
    GET  spine:change_reject         .... . xx.
    POST spine:change_reject         .... . xx.
    GET  spine:change_cancel         .... . x..
    POST spine:change_cancel         .... . x..
    GET  boycott:guidance_list       xxxx x xxx
    GET  boycott:guidance_new        .... . x..
    POST boycott:guidance_new        .... . x..
    GET  boycott:guidance            xxxx x xxx
    GET  boycott:guidance_edit       .... . x..
    POST boycott:guidance_edit       .... . x..
    GET  boycott:guidance_draft      .... . x..
    POST boycott:guidance_publish    .... . x..
    POST boycott:guidance_acknowledge x.x. . ...
    GET  boycott:guidance_versions   xxxx x xxx
    GET  surveys:list                x... . x.x
    GET  surveys:new                 .... . x..
    POST surveys:new                 .... . x..
    GET  surveys:survey              x... . x.x
    POST surveys:survey              x... . ...
    GET  surveys:edit                .... . x..
    POST surveys:edit                .... . x..
    GET  surveys:run                 .... . x..
    POST surveys:run                 .... . x..
    GET  surveys:results             x... . x.x
    GET  spine:preview               xxxx x ...
    GET  spine:why_on_day            xxxx x ...
    GET  spine:letter                xxxx x ...
    GET  spine:letter_pdf            xxxx x ...
    GET  spine:run_letters           x.x. . ...
    GET  spine:consent_model         xxxx x xxx
    POST spine:consent_model         .... . .x.
    GET  spine:dispensations         .... . xxx
    GET  spine:dispensation_new      .... . x..
    POST spine:dispensation_new      .... . x..
    GET  spine:dispensation          .... . xxx
    POST spine:dispensation          .... . xxx
    GET  spine:dispensation_reopening .... . xxx
    GET  spine:stop                  .... . .x.
    POST spine:stop                  .... . .x.
    GET  spine:practice_stance       xxxx x ---
    POST spine:practice_stance       ..x. . ---
    GET  spine:practice_stance_check ..x. . ...
    POST spine:practice_stance_check ..x. . ...
    GET  spine:own_stance            x... . ...
    POST spine:own_stance            x... . ...
    GET  spine:own_stance_check      x... . ...
    POST spine:own_stance_check      x... . ...
    GET  spine:permission            xxxx x ...
    POST spine:permission            x..x . ...
    GET  spine:mismatches            xxxx x ...
    GET  spine:uploads               xxxx x ...
    GET  spine:upload                xxxx x ...
    GET  reports:index               xxxx x xxx
    GET  reports:practice_csv        xxxx x ---
    POST spine:upload_again          ..x. . .-.
    POST spine:upload_cancel         ..x. . .-.
    GET  spine:runs                  ..x. . .x.
    GET  spine:run_new               ..x. . .x.
    POST spine:run_new               ..x. . .x.
    GET  spine:run                   ..x. . .-.
    GET  spine:run_check             ..x. . .-.
    POST spine:run_check             ..x. . .-.
    POST spine:run_step              ..x. . .-.
    GET  spine:run_cancel            ..x. . .-.
    POST spine:run_cancel            ..x. . .-.
    GET  spine:problems              xxxx x .x.
    POST spine:problems_again        ..x. . .x.
    GET  reports:replays             xxxx x xxx
    GET  reports:replay              xxxx x xxx
    GET  reports:sending             .... . xxx
    GET  reports:staleness           xxxx x xxx
    GET  reports:staleness_csv       xxxx x xxx
    GET  reports:adoption            xxxx x xxx
    GET  reports:projection          .... . xxx
    GET  api:v1:policy               xxxx x xxx
    GET  api:v1:policy_motions       xxxx x xxx
    GET  api:v1:policy_motion        xxxx x xxx
    GET  api:v1:policy_changes       .... . xxx
    POST api:v1:policy_changes       .... . x..
    GET  api:v1:policy_change        .... . xxx
    GET  api:v1:policy_change_impact .... . xxx
    POST api:v1:policy_change_edit   .... . x..
    POST api:v1:policy_change_submit .... . x..
    POST api:v1:policy_change_approve .... . xx.
    POST api:v1:policy_change_reject .... . xx.
    POST api:v1:policy_change_cancel .... . x..
    GET  api:v1:policy_stop          .... . .x.
    POST api:v1:policy_stop          .... . .x.
    POST api:v1:policy_stop_review   .... . .x.
    POST api:v1:policy_stop_ask      .... . .x.
    POST api:v1:policy_stop_decline  .... . .x.
    POST api:v1:policy_stop_agree    .... . .x.
    GET  api:v1:surveys              x... . x.x
    GET  api:v1:survey_results       x... . x.x
    GET  reports:refusals            x.xx . ...
    GET  reports:burst               x.xx . ...
    GET  reports:conversion_form     ..x. . ...
    POST reports:conversion_form     ..x. . ...
    GET  reports:conversion_check    ..x. . ...
    POST reports:conversion_check    ..x. . ...
    GET  reports:conversion          ..x. . ...
    POST reports:conversion_back     ..x. . ...
    GET  api:v1:patients             xxxx x ...
    POST api:v1:find                 xxxx x ...
    GET  api:v1:patient              xxxx x ...
    GET  api:v1:decisions            xxxx x ...
    POST api:v1:decisions            xxxx x ...
    GET  api:v1:explain              xxxx x ...
    POST api:v1:undo                 x.xx . ...
    POST api:v1:invalid              x.xx . ...
    GET  api:v1:uploads              xxxx x ...
    GET  api:v1:upload               xxxx x ...
"""
# Which answers of a patient each role may record: the page and the API must agree.
ANSWERS = """
    EXPRESS_CORE        xxx. x ...
    EXPRESS_ADDITIONAL  x... . ...
    EXPRESS_DISSENT     xxx. x ...
    NONE                xxx. x ...
"""


def table(text):
    """{words of a line before its marks: {role: mark}}"""
    rows = {}
    for line in text.strip().splitlines():
        words = line.split()
        marks = "".join(words[-3:])
        assert tuple(words[:-3]) not in rows, f"twice: {line}"
        rows[tuple(words[:-3])] = dict(zip(COLUMNS, marks, strict=True))
    return rows


each_role = pytest.mark.parametrize("role", COLUMNS, ids=lambda role: role.value)
BY_NAME = {route[0]: route for route in ROUTES}


@contextmanager
def undone():
    """What happens inside is rolled back, so that one answer does not change the next."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def practice(world):
    return world.practice


@pytest.fixture
def ids(world):
    """One of each thing that an address can name, recorded by somebody else."""
    return world.ids


def address(name, ids):
    return address_of(BY_NAME[name], ids_for(name, ids))


def ask(client, method, path):
    if method == "GET":
        return client.get(path)
    return client.post(path, {}, format="json" if path.startswith("/api/") else "multipart")


def written():
    """Everything that a person's answer can add to, apart from the access log."""
    tables = (
        ConsentEvent,
        UploadJob,
        PositionRevision,
        StanceRevision,
        GpStanceRevision,
        StopRevision,
        ChangeStep,
        MotionRevision,
        NoticeRead,
        StopStep,
        PermissionCall,
        GuidanceRevision,
        GuidancePublication,
        GuidanceAcknowledgement,
        Survey,
        SurveyOpening,
        SurveyClosing,
        SurveyAnswer,
        UploadStep,
        SendingRunStep,
    )
    counts = ", ".join(f"(SELECT count(*) FROM {model._meta.db_table})" for model in tables)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {counts}")
        return [*cursor.fetchone(), *UploadJob.objects.order_by("pk").values_list("pk", "state", "cause")]


def user_of(role, practice):
    return make_user(role, practice if role.rule.of_practice else None)


@each_role
def test_every_door(role, practice, ids):
    user = user_of(role, practice)
    ids = with_survey_of(user, with_sheet_of(user, ids))
    client, before = logged_in(user), written()
    for (method, name), marks in table(DOORS).items():
        mark = marks[role]
        with undone():
            answer = ask(client, method, address(name, ids))
            told = f"{role.value} {method} {name}: {answer.status_code}"
            if mark == "x":
                assert answer.status_code in {200, 204, 302, 400}, told
                continue
            assert answer.status_code == {".": 403, "-": 404}[mark], told
            assert written() == before, told
            refused = AccessEvent.objects.filter(kind="REFUSED", user__assignments__role=role).exists()
            assert refused == (mark == "."), told


def test_every_door_stands_in_the_table(practice, ids):
    """Those that do are opened above, each by a role that gets as far as the view; what is left answers that
    it knows no such method, to such a role too: whoever may not come in learns nothing of methods."""
    doors = table(DOORS)
    assert all({"x", "-"} & set(marks.values()) for marks in doors.values())
    ways = {
        (method, name) for name in BY_NAME if name not in WITHOUT_PERMISSION for method in ("GET", "POST")
    }
    assert set(doors) <= ways
    for method, name in sorted(ways - set(doors)):
        user = user_of(roles_with(BY_NAME[name][2].permission)[0], practice)
        with undone():
            answer = ask(logged_in(user), method, address(name, ids))
            assert answer.status_code == 405, f"{method} {name}: {answer.status_code}"


@each_role
@pytest.mark.parametrize("way", ["page", "api"])
def test_every_answer(role, way, practice):
    patient = make_patient(practice)
    client, today, before = logged_in(user_of(role, practice)), timezone.localdate(), written()
    for (preference,), marks in table(ANSWERS).items():
        facts = {"preference": preference, "source": "FORM", "reference": "F 1"}
        with undone():
            if way == "api":
                path = reverse("api:v1:decisions", args=[patient.public_id])
                answer = client.post(path, facts | {"decided_on": today.isoformat()}, format="json")
            else:
                path = reverse("consent:record", args=[patient.public_id])
                date = {f"decided_on_{part}": getattr(today, part) for part in ("day", "month", "year")}
                answer = client.post(path, facts | date | {"confirmed": "yes"}, format="multipart")
            told = f"{role.value} {preference}: {answer.status_code}"
            if marks[role] == "x":
                assert patient.consent_events.get().preference == preference, told
            else:
                assert answer.status_code == 403 and written() == before, told
