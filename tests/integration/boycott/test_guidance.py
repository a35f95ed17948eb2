"""Guidance: four eyes, versions, and what practices say they have read."""

import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone

from boycott.guidance import GuidanceRefused, draft_of, fingerprint, publish
from boycott.guidance.queries import current_of, rate_of, unread
from boycott.models import GuidanceAcknowledgement, GuidancePublication, GuidanceRevision, PolicyChange
from boycott.queries import NATIONAL_LINE
from carerecords.models import Practice
from carerecords.permissions import Role
from tests.factories import make_practice, make_user
from tests.guidance_factories import (
    GUIDANCE_SLUG,
    TEXT,
    acknowledge_guidance,
    make_guidance,
    publish_guidance,
)

pytestmark = pytest.mark.django_db
PAGE = f"/policy/guidance/{GUIDANCE_SLUG}/"


@pytest.fixture
def change(policy_admin):
    return PolicyChange.objects.create(line=NATIONAL_LINE, made_at=timezone.now(), made_by=policy_admin)


def refused(what, *words):
    with pytest.raises(GuidanceRefused) as caught:
        what()
    assert all(word in str(caught.value) for word in words), str(caught.value)
    return caught.value.field


class TestPublishing:
    def test_who_wrote_it_cannot_publish_it(self, policy_admin):
        draft = make_guidance(by=policy_admin)
        assert refused(lambda: publish_guidance(draft, by=policy_admin), "Ask another policy admin") == "by"
        assert not GuidancePublication.objects.exists()

    def test_each_publication_is_the_next_version(self):
        first = publish_guidance(make_guidance())
        second = publish_guidance(make_guidance(page=first.page, text=TEXT + "More."))
        assert [first.version, second.version] == [1, 2]
        assert current_of(first.page) == second

    def test_an_edit_voids_the_draft_that_was_read(self, policy_admin):
        draft = make_guidance(by=policy_admin)
        make_guidance(page=draft.page, text=TEXT + "Sneaked in.", by=policy_admin)
        assert refused(lambda: publish_guidance(draft), "changed this draft since") == "revision"

    def test_nothing_is_published_twice(self):
        draft = make_guidance()
        publish_guidance(draft)
        assert refused(lambda: publish_guidance(draft), "published already") == "revision"

    def test_two_writers_at_once_are_told_apart(self):
        draft = make_guidance()
        make_guidance(page=draft.page)
        refused(lambda: make_guidance(page=draft.page, seen=1), "changed this page while you were writing")

    def test_readers_are_told_what_is_new(self):
        page = publish_guidance(make_guidance()).page
        assert refused(lambda: make_guidance(page=page, changed=" "), "what is new") == "changed"

    def test_two_pages_have_two_titles(self):
        make_guidance()
        assert refused(make_guidance, "has this title already") == "title"
        assert refused(lambda: make_guidance(title="New"), "Enter a title") == "title"


class TestWithAChange:
    def test_it_is_published_with_it_and_not_without(self, change):
        draft = make_guidance(change=change)
        assert draft_of(change) == draft
        refused(lambda: publish_guidance(draft), "published with its change of policy")
        assert publish_guidance(draft, change=change).version == 1
        assert draft_of(change) is None

    def test_a_later_writing_that_leaves_the_change_takes_it_away(self, change):
        draft = make_guidance(change=change)
        make_guidance(page=draft.page)
        assert draft_of(change) is None

    def test_both_happen_or_neither(self, change):
        draft = make_guidance(change=change)
        with pytest.raises(RuntimeError), transaction.atomic():
            publish_guidance(draft, change=change)
            raise RuntimeError("the change was refused")
        assert not GuidancePublication.objects.exists()

    def test_every_letter_is_in_the_fingerprint(self):
        draft = make_guidance()
        others = [
            make_guidance(page=draft.page, text=TEXT + "."),
            make_guidance(page=draft.page, title="Practical step for GPs"),
            make_guidance(page=draft.page, changed="Another step."),
        ]
        assert len({fingerprint(one) for one in [draft, *others]}) == 4
        assert fingerprint(draft) == fingerprint(GuidanceRevision.objects.get(pk=draft.pk))


@pytest.mark.django_db(transaction=True)
def test_two_admins_publish_at_once_and_one_wins(policy_admin):
    draft = make_guidance(by=policy_admin)
    people = [make_user(Role.POLICY_ADMIN) for _ in range(4)]
    start, told = threading.Barrier(4), []

    def press(person):
        start.wait()
        try:
            publish(revision=draft, by=person, at=timezone.now())
        except GuidanceRefused as refusal:
            told.append(str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == ["This draft is published already"] * 3
    assert GuidancePublication.objects.count() == 1


class TestAcknowledging:
    def test_the_rate_is_of_active_practices(self, practice):
        published = publish_guidance(make_guidance())
        make_practice()
        acknowledge_guidance(published, make_practice(status=Practice.Status.CLOSED))
        acknowledge_guidance(published, practice)
        rate = rate_of(published)
        assert (rate.practices, rate.of) == (1, 2)

    def test_each_version_is_acknowledged_by_itself(self, practice):
        first = publish_guidance(make_guidance())
        acknowledge_guidance(first, practice)
        assert unread(practice).count() == 0
        publish_guidance(make_guidance(page=first.page))
        assert unread(practice).count() == 1

    def test_only_the_version_that_stands(self, practice):
        first = publish_guidance(make_guidance())
        publish_guidance(make_guidance(page=first.page))
        refused(lambda: acknowledge_guidance(first, practice), "newer version")
        assert not GuidanceAcknowledgement.objects.exists()

    def test_the_first_who_says_so_counts(self, practice, manager):
        published = publish_guidance(make_guidance())
        acknowledge_guidance(published, practice, by=manager)
        acknowledge_guidance(published, practice)
        assert GuidanceAcknowledgement.objects.get().made_by == manager


class TestPages:
    def test_a_manager_acknowledges(self, client, manager):
        publish_guidance(make_guidance())
        client.force_login(manager)
        assert "Page of guidance to acknowledge" in client.get("/").content.decode()
        assert "Acknowledge version 1" in client.get(PAGE).content.decode()
        answer = client.post(f"{PAGE}acknowledge/", {"version": "1"}, follow=True).content.decode()
        assert "Your practice has acknowledged version 1." in answer
        assert f"{manager.short_name}, Practice manager" in answer and "1 of 1 practice has" in answer
        assert "Page of guidance to acknowledge" not in client.get("/").content.decode()

    def test_a_gp_says_that_they_are_a_partner(self, client, gp):
        publish_guidance(make_guidance())
        client.force_login(gp)
        answer = client.post(f"{PAGE}acknowledge/", {"version": "1"}).content.decode()
        assert "Confirm that you are a partner" in answer and "<title>Error: " in answer
        assert not GuidanceAcknowledgement.objects.exists()
        client.post(f"{PAGE}acknowledge/", {"version": "1", "is_partner": "on"})
        assert GuidanceAcknowledgement.objects.get().capacity == "PARTNER"

    @pytest.mark.parametrize("version", ["2", "", "x", "²"])
    def test_what_was_not_shown_is_not_acknowledged(self, client, manager, version):
        publish_guidance(make_guidance())
        client.force_login(manager)
        answer = client.post(f"{PAGE}acknowledge/", {"version": version})
        assert "Read the page before you acknowledge it" in answer.content.decode()
        assert not GuidanceAcknowledgement.objects.exists()

    def test_a_draft_is_nobodys_but_policy_admins(self, client, gp, policy_admin):
        make_guidance()
        client.force_login(gp)
        assert client.get(PAGE).status_code == 404 and client.get(f"{PAGE}versions/").status_code == 404
        assert "Practical steps" not in client.get("/policy/guidance/").content.decode()
        client.force_login(policy_admin)
        assert client.get(PAGE)["Location"] == f"{PAGE}draft/"

    def test_differences_between_versions(self, client, gp):
        first = publish_guidance(make_guidance())
        publish_guidance(make_guidance(page=first.page, text=TEXT.replace("**all**", "the")))
        client.force_login(gp)
        html = client.get(f"{PAGE}versions/").content.decode()
        assert "From version 1 to version 2" in html and "<del>" in html and "A step more." in html
        assert "is the same" in client.get(f"{PAGE}versions/?from=2&to=2").content.decode()
        assert "This is the first version." in client.get(f"{PAGE}versions/?to=1").content.decode()

    def test_writing_and_publishing(self, client, policy_admin):
        client.force_login(policy_admin)
        sent = {"title": "Practical steps for GPs", "text": TEXT, "publish_with": "none"}
        wrong = client.post("/policy/guidance/new/", sent | {"text": ""}).content.decode()
        assert "Enter the text" in wrong and not GuidanceRevision.objects.exists()
        answer = client.post("/policy/guidance/new/", sent, follow=True)
        assert "another policy admin must publish it" in answer.content.decode()
        answer = client.post(f"{PAGE}publish/", {"seen": "1"}).content.decode()
        assert "You cannot publish what you wrote yourself" in answer
        assert not GuidancePublication.objects.exists()
        client.force_login(make_user(Role.POLICY_ADMIN))
        client.post(f"{PAGE}publish/", {"seen": "1"})
        assert current_of(GuidanceRevision.objects.get().page).version == 1

    def test_a_conflict_keeps_what_was_typed(self, client, policy_admin):
        draft = make_guidance()
        make_guidance(page=draft.page)
        client.force_login(policy_admin)
        sent = {"title": "Mine", "text": "My own words", "publish_with": "none", "seen": "1"}
        html = client.post(f"{PAGE}edit/", sent).content.decode()
        assert "changed this page while you were writing" in html and "My own words" in html
        assert GuidanceRevision.objects.count() == 2

    def test_constant_queries(self, client, manager, django_assert_max_num_queries):
        page = publish_guidance(make_guidance()).page
        for _ in range(5):
            acknowledge_guidance(publish_guidance(make_guidance(page=page)), make_practice())
        client.force_login(manager)
        for address in (PAGE, f"{PAGE}versions/", "/policy/guidance/"):
            with django_assert_max_num_queries(14):
                client.get(address)
