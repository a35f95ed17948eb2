"""Sending with tokens that are bought by a signed statement, as the real service asks for them."""

import json
import urllib.request

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.utils import timezone

from carerecords.models import UploadJob
from config.env import BadEnvironment, Env
from spine.sending import credentials
from spine.sending.credentials import BoughtTokens, NoToken, application_from_settings
from spine.sending.slots import Slots
from tests import signing
from tests.factories import decide, make_patient
from tests.integration.spine.conftest import sending_to
from tests.localstore_process import fresh_nhs_number, running_store


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Our private key, its public half, and the private key of somebody else."""
    folder, key = tmp_path_factory.mktemp("keys"), signing.new_key()
    ours = signing.write_private(key, folder / "ours.pem")
    theirs = signing.write_private(signing.new_key(), folder / "theirs.pem")
    return ours, signing.write_public(key, folder / "jwks.json"), theirs


@pytest.fixture(scope="module")
def guarded(keys):
    yield from running_store(**signing.store_settings(keys[1]))


@pytest.fixture
def sending(transactional_db, settings, guarded, keys):
    yield from _sending(settings, guarded, keys[0])


def _sending(settings, guarded, private_key):
    settings.SPINE_SIGNED_JWT = signing.our_settings(guarded.base_url, private_key)
    yield from sending_to(guarded, settings)
    faults(guarded, "DELETE")


def faults(store, method="GET", **order):
    """What the store was told to do wrong. A program that looks in shows a token here too."""
    request = urllib.request.Request(
        f"{store.base_url}/faults",
        data=json.dumps(order).encode() if order else None,
        headers={"Content-Type": "application/json", "Accept": "application/json"}
        | {"Authorization": "Bearer a person"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["faults"]


def counting_tokens(store):
    """A fault that does nothing but count how often a token is asked for."""
    faults(store, "POST", kind="delay", target="token", seconds="0")


def tokens_asked_for(store):
    return next(one["struck"] for one in faults(store) if (one["kind"], one["target"]) == ("delay", "token"))


@pytest.fixture
def patients(practice, gp):
    made = [make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number()) for _ in range(12)]
    for one in made:
        decide(one)
    return made


def states():
    return sorted(set(UploadJob.objects.values_list("state", "headline")))


def test_one_token_serves_a_whole_run(sending, guarded, patients):
    counting_tokens(guarded)
    sending.all_due()
    assert states() == [("ACCEPTED", "")] and len(sending.ledger(outcome="accepted")) == len(patients)
    assert tokens_asked_for(guarded) == 1


def test_a_token_refused_in_the_middle_is_replaced_once(sending, guarded, patients):
    """The store forgets every token: all that are under way are refused, and go on with one new token."""
    UploadJob.objects.exclude(patient=patients[0]).update(due_at=timezone.now().replace(year=2100))
    sending.all_due(windows_over=False)
    UploadJob.objects.filter(patient=patients[0]).update(due_at=timezone.now())
    sending.all_due(windows_over=False)
    assert UploadJob.objects.get(patient=patients[0]).state == "ACCEPTED"
    guarded.kill()
    guarded.start()
    counting_tokens(guarded)
    sending.all_due()
    sending.all_due()
    assert states() == [("ACCEPTED", "")] and len(sending.ledger(outcome="accepted")) == len(patients)
    assert tokens_asked_for(guarded) == 1


def test_a_call_made_again_takes_a_slot_of_its_own(sending, guarded, patients, monkeypatch):
    """The platform counts what it refuses: no request leaves that the rate knows nothing of."""
    taken, unlimited = [], type(Slots.unlimited())
    turn_of = unlimited.turn

    def counted(slots, may_begin):
        turn = turn_of(slots, may_begin)

        async def counting():
            begins = await turn()
            taken.extend([begins] if begins else [])
            return begins

        return counting

    UploadJob.objects.exclude(patient=patients[0]).update(due_at=timezone.now().replace(year=2100))
    sending.all_due(windows_over=False)
    guarded.kill()
    guarded.start()
    monkeypatch.setattr(unlimited, "turn", counted)
    for target in ("find", "upload"):
        faults(guarded, "POST", kind="delay", target=target, seconds="0")
    sending.all_due()
    assert states() == [("ACCEPTED", "")]
    asked = sum(one["struck"] for one in faults(guarded) if one["kind"] == "delay")
    assert asked > 2 * (len(patients) - 1), "Some were refused, and made again."
    assert len(taken) == asked


def test_refused_again_and_again_it_waits(sending, guarded, patients):
    """Every token is refused: each message waits a minute, and nothing runs in circles."""
    counting_tokens(guarded)
    faults(guarded, "POST", kind="unauthorised", target="find")
    before = timezone.now()
    sending.all_due()
    assert states() == [("WAITING", "The Spine did not let this service in. It is tried again by itself.")]
    assert {job.failures for job in UploadJob.objects.all()} == {0}
    assert all(59 < (job.due_at - before).total_seconds() < 75 for job in UploadJob.objects.all())
    assert sending.ledger() == [] and tokens_asked_for(guarded) <= 2
    refused = next(one["struck"] for one in faults(guarded) if one["kind"] == "unauthorised")
    assert refused <= 2 * len(patients)


def test_refused_in_the_upload_itself_nothing_is_lost(sending, guarded, patients):
    faults(guarded, "POST", kind="unauthorised", target="upload", times=str(2 * len(patients)))
    sending.all_due()
    assert {job.state for job in UploadJob.objects.all()} <= {"WAITING", "ACCEPTED"}
    faults(guarded, "DELETE")
    sending.all_due()
    assert states() == [("ACCEPTED", "")] and len(sending.ledger()) == len(patients)


def test_the_wrong_key_asks_once_and_waits(transactional_db, settings, guarded, keys, practice, gp):
    for sending in _sending(settings, guarded, keys[2]):
        for _ in range(10):
            decide(make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number()))
        counting_tokens(guarded)
        sending.all_due()
        sending.all_due()
        assert states() == [
            ("WAITING", "The Spine did not let this service in. It is tried again by itself.")
        ]
        assert tokens_asked_for(guarded) == 1 and sending.ledger() == []


@pytest.mark.parametrize("kind", ["html_503", "garbage", "redirect", "lost_answer", "too_many"])
def test_an_issuer_that_is_not_well_costs_no_rung(sending, guarded, patients, kind):
    faults(guarded, "POST", kind=kind, target="token", times="1", seconds="0.1")
    sending.all_due()
    waiting = UploadJob.objects.first()
    assert (waiting.state, waiting.reasons, waiting.failures) == ("WAITING", ["tech.retry"], 0)
    assert sending.ledger() == []


def test_it_is_renewed_before_its_end(settings, guarded, keys, monkeypatch):
    settings.SPINE_SIGNED_JWT = signing.our_settings(guarded.base_url, keys[0])
    tokens, clock = BoughtTokens(application_from_settings()), [1000.0]
    monkeypatch.setattr(credentials, "_clock", lambda: clock[0])
    first = tokens.token()
    clock[0] += 599 - 31
    assert tokens.at_hand() == (True, first)
    clock[0] += 2
    assert not tokens.at_hand()[0] and tokens.token() != first


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"SPINE_API_KEY": "another"}, "401 invalid_request: Invalid iss/sub claims"),
        ({"SPINE_KEY_ID": "another"}, "401 invalid_request: Invalid 'kid' header"),
        ({"SPINE_PRIVATE_KEY_FILE": "theirs"}, "401 public_key error: JWT signature verification failed"),
        ({"SPINE_TOKEN_URL": "http://127.0.0.1:9/token"}, "did not answer"),
    ],
    ids=str,
)
def test_the_command_says_what_is_wrong(settings, guarded, keys, wrong, said, capsys):
    right = signing.our_settings(guarded.base_url, keys[0])
    settings.SPINE_SIGNED_JWT = right | wrong
    if "SPINE_PRIVATE_KEY_FILE" in wrong:
        settings.SPINE_SIGNED_JWT["SPINE_PRIVATE_KEY_FILE"] = keys[2]
    with pytest.raises(CommandError, match=said):
        call_command("check_spine_access")
    settings.SPINE_SIGNED_JWT = right
    call_command("check_spine_access")
    assert "Let in: a token for 599 seconds" in capsys.readouterr().out


def test_a_key_made_by_the_command_lets_us_in(settings, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("spine.management.commands.make_spine_key.BITS", 2048)
    path, jwks = tmp_path / "key.pem", tmp_path / "jwks.json"
    call_command("make_spine_key", path, kid=signing.KEY_ID)
    jwks.write_text(capsys.readouterr().out)
    assert path.stat().st_mode & 0o777 == 0o600 and "PRIVATE" not in jwks.read_text()
    assert not {"d", "p", "q"} & set(json.loads(jwks.read_text())["keys"][0])
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("make_spine_key", path, kid="x")
    for store in running_store(**signing.store_settings(str(jwks))):
        settings.SPINE_SIGNED_JWT = signing.our_settings(store.base_url, str(path))
        call_command("check_spine_access")


@pytest.mark.parametrize(
    "content, said",
    [(b"no key", "PEM form"), (None, "cannot be read: No such file")],
)
def test_a_key_that_cannot_be_used(settings, tmp_path, content, said):
    path = tmp_path / "key.pem"
    if content is not None:
        path.write_bytes(content)
    settings.SPINE_SIGNED_JWT = signing.our_settings("http://127.0.0.1:9", str(path))
    with pytest.raises(ImproperlyConfigured, match=said):
        credentials.from_settings()


def test_variables_that_go_together():
    assert Env({}).together("A", "B") == {} == Env({"A": ""}).together("A", "B")
    assert Env({"A": "1", "B": "2"}).together("A", "B") == {"A": "1", "B": "2"}
    with pytest.raises(BadEnvironment, match="B is not set"):
        Env({"A": "1"}).together("A", "B")


def test_a_silent_issuer_is_left_alone_for_a_while(settings, keys):
    settings.SPINE_SIGNED_JWT = signing.our_settings("http://127.0.0.1:9", keys[0])
    tokens = BoughtTokens(application_from_settings())
    for _ in range(3):
        with pytest.raises(NoToken) as refused:
            tokens.token()
    assert refused.value.answer.kind == "UNREACHABLE"
