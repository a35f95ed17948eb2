"""Secret ballots: one vote each, at once from many sides; and nothing that links voter and vote."""

import re
import threading
import uuid

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from boycott.models import (
    BallotCount,
    BallotSeal,
    CountedPaper,
    HasVoted,
    SealedPaper,
    SurveyAnswer,
)
from boycott.surveys.counting import count_ballot, to_count
from boycott.surveys.queries import results_of, standing_of, turnout
from boycott.surveys.refusal import SurveyRefused
from boycott.surveys.running import close_survey
from boycott.surveys.sealing import SealBroken
from boycott.surveys.vocabulary import Kind
from boycott.surveys.voting import vote
from boycott.tasks import count_closed_ballots
from carerecords.permissions import Role
from tests.factories import make_practice, make_user
from tests.survey_factories import WEEK, entry, give, make_open, option, run_to_its_end

pytestmark = pytest.mark.django_db
REASON = "The meeting was put off to the autumn."


def rows(sql, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def refused(what, *words):
    with pytest.raises(SurveyRefused) as caught:
        what()
    assert all(word in str(caught.value) for word in words), str(caught.value)


def closed(survey, by=None):
    close_survey(survey=survey, reason=REASON, by=by or make_user(Role.POLICY_ADMIN), at=timezone.now())


class TestOneVoteEach:
    def test_a_second_vote_is_refused_and_changes_nothing(self, gp):
        ballot = make_open(Kind.BALLOT)
        give(ballot, gp, 0)
        before = list(SealedPaper.objects.values_list("token", "sealed"))
        refused(lambda: give(ballot, gp, 1), "You have already voted")
        assert list(SealedPaper.objects.values_list("token", "sealed")) == before
        assert HasVoted.objects.count() == 1 and not SurveyAnswer.objects.exists()

    def test_the_database_itself_refuses_it(self, gp):
        ballot = make_open(Kind.BALLOT)
        HasVoted.objects.create(entry=entry(ballot, gp))
        with pytest.raises(IntegrityError), transaction.atomic():
            HasVoted.objects.create(entry=entry(ballot, gp))

    def test_too_late(self, gp):
        ballot = make_open(Kind.BALLOT)
        refused(lambda: give(ballot, gp, at=ballot.opening.closes_at), "This ballot closed at")
        assert not HasVoted.objects.exists() and not SealedPaper.objects.exists()

    def test_overtaken_by_the_count(self, gp):
        """Pressed before the end, and arrived after the count: the paper would never be opened."""
        ballot = make_open(Kind.BALLOT)
        closes = ballot.opening.closes_at
        count_ballot(survey=ballot, at=closes)
        refused(lambda: give(ballot, gp, at=closes - WEEK / 2), "This ballot closed at")
        assert not HasVoted.objects.exists() and not SealedPaper.objects.exists()


def at_once(jobs):
    start, told = threading.Barrier(len(jobs)), []

    def press(job):
        start.wait()
        try:
            told.append(job())
        except SurveyRefused as refusal:
            told.append(str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_one_gp_from_eight_browsers(self, gp):
        ballot = make_open(Kind.BALLOT)
        mine, chosen = entry(ballot, gp), [option(ballot, place) for place in (0, 1)]

        def job(n):
            return lambda: vote(entry=mine, option=chosen[n % 2], at=timezone.now())

        told = at_once([job(n) for n in range(8)])
        assert told.count(None) == 1 and told.count("You have already voted") == 7
        assert HasVoted.objects.count() == 1 and SealedPaper.objects.count() == 1

    def test_votes_against_the_closing(self, practice):
        """Whoever was let in is counted, and whoever was told "closed" is not."""
        gps = [make_user(Role.GP, practice) for _ in range(7)]
        ballot, admin = make_open(Kind.BALLOT), make_user(Role.POLICY_ADMIN)
        entries = [entry(ballot, gp) for gp in gps]
        chosen = option(ballot, 0)

        def job(one):
            return lambda: vote(entry=one, option=chosen, at=timezone.now())

        told = at_once([*map(job, entries), lambda: closed(ballot, admin)])
        let_in = told.count(None) - 1
        count = count_ballot(survey=ballot, at=timezone.now())
        assert count.papers == count.voters == let_in
        assert sum("This ballot closed at" in str(one) for one in told) == 7 - let_in


class TestSecrecy:
    def test_no_row_has_a_time_a_rising_number_or_a_voter(self):
        """Of a vote there are only these columns; the roll's mark alone names an entry."""
        columns = rows(
            "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_name = ANY(%s)",
            ["boycott_hasvoted", "boycott_sealedpaper", "boycott_countedpaper"],
        )
        assert sorted(columns) == [
            ("boycott_countedpaper", "id", "uuid"),
            ("boycott_countedpaper", "option_id", "bigint"),
            ("boycott_countedpaper", "region_code", "character varying"),
            ("boycott_countedpaper", "survey_id", "bigint"),
            ("boycott_hasvoted", "entry_id", "bigint"),
            ("boycott_hasvoted", "id", "uuid"),
            ("boycott_sealedpaper", "sealed", "bytea"),
            ("boycott_sealedpaper", "survey_id", "bigint"),
            ("boycott_sealedpaper", "token", "uuid"),
        ]

    def test_sealed_papers_say_nothing(self, practice):
        """Equal length, and no two alike, whatever and wherever was voted."""
        gps = [make_user(Role.GP, practice if n % 2 else make_practice(region_code="Y60")) for n in range(12)]
        ballot = make_open(Kind.BALLOT)
        for n, gp in enumerate(gps):
            give(ballot, gp, n % 3)
        sealed = [bytes(one) for one in SealedPaper.objects.values_list("sealed", flat=True)]
        assert len({len(one) for one in sealed}) == 1 and len(set(sealed)) == 12

    def test_counted_papers_lie_in_the_order_of_random_ids_of_one_transaction(self, practice):
        """Neither place on disk nor transaction says who voted first."""
        ballot = run_to_its_end(Kind.BALLOT, [0] * 10 + [1] * 10, practice)
        found = rows(
            "SELECT id, xmin FROM boycott_countedpaper WHERE survey_id = %s ORDER BY ctid", ballot.pk
        )
        ids = [one for one, _ in found]
        assert ids == sorted(ids) and all(uuid.UUID(str(one)).version == 4 for one in ids)
        assert len({xmin for _, xmin in found}) == 1
        options = list(CountedPaper.objects.order_by("id").values_list("option", flat=True))
        assert options != sorted(options), "20 papers in the order of voting by chance: 1 in 184,756"

    def test_the_seal_goes_with_the_papers(self, practice):
        run_to_its_end(Kind.BALLOT, [0] * 10, practice)
        assert not SealedPaper.objects.exists() and not BallotSeal.objects.exists()

    def test_a_region_of_few_stands_on_no_paper(self, practice):
        few = make_practice(region_code="Y60", region_name="Midlands")
        gps = [make_user(Role.GP, few) for _ in range(3)]
        gps += [make_user(Role.GP, practice) for _ in range(12)]
        ballot = make_open(Kind.BALLOT)
        for gp in gps:
            give(ballot, gp, 0)
        closed(ballot)
        count_ballot(survey=ballot, at=timezone.now())
        assert set(CountedPaper.objects.values_list("region_code", flat=True)) == {""}

    def test_the_log_says_that_and_not_how(self, client, gp):
        ballot = make_open(Kind.BALLOT)
        client.force_login(gp)
        client.post(f"/surveys/{ballot.public_id}/", {"option": "1"})
        [line] = rows("SELECT kind, detail FROM carerecords_accessevent")
        assert line == ("VOTED", str(ballot.public_id))


class TestCounting:
    def test_what_was_voted_is_what_is_counted(self, practice):
        ballot = run_to_its_end(Kind.BALLOT, [0] * 11 + [1] * 4 + [2] * 5 + [None] * 3, practice)
        found = results_of(standing_of(ballot, timezone.now()))
        assert [share.count for share in found.tally.shares] == [11, 4, 5]
        assert (found.tally.invited, found.count.papers, found.count.voters) == (23, 20, 20)
        assert turnout(ballot).answered == 20

    def test_not_before_the_end(self, gp):
        ballot = make_open(Kind.BALLOT)
        refused(lambda: count_ballot(survey=ballot, at=timezone.now()), "is not closed")
        assert to_count(timezone.now()) == [] and results_of(standing_of(ballot, timezone.now())) is None

    def test_once(self, practice):
        ballot = run_to_its_end(Kind.BALLOT, [0] * 10, practice)
        before = set(CountedPaper.objects.values_list("id", flat=True))
        count_ballot(survey=ballot, at=timezone.now())
        assert set(CountedPaper.objects.values_list("id", flat=True)) == before
        assert BallotCount.objects.count() == 1

    def test_the_worker_counts_what_is_over(self, gp):
        ballot = make_open(Kind.BALLOT)
        give(ballot, gp)
        count_closed_ballots()
        assert not BallotCount.objects.exists()
        closed(ballot)
        assert to_count(timezone.now()) == [ballot]
        count_closed_ballots()
        assert BallotCount.objects.get().papers == 1 and to_count(timezone.now()) == []

    def test_a_new_secret_opens_nothing_unless_the_old_is_kept(self, gp, settings):
        ballot = make_open(Kind.BALLOT)
        give(ballot, gp)
        closed(ballot)
        old, settings.SECRET_KEY = settings.SECRET_KEY, "another" * 10
        with pytest.raises(SealBroken):
            count_ballot(survey=ballot, at=timezone.now())
        assert SealedPaper.objects.count() == 1 and BallotSeal.objects.count() == 1
        settings.SECRET_KEY_FALLBACKS = [old]
        assert count_ballot(survey=ballot, at=timezone.now()).papers == 1

    def test_a_paper_of_another_ballot_or_made_up_is_found(self, gp):
        ballot, other = make_open(Kind.BALLOT), make_open(Kind.BALLOT)
        give(ballot, gp)
        paper = SealedPaper.objects.get()
        SealedPaper.objects.create(survey=other, sealed=paper.sealed)
        closed(other)
        with pytest.raises(SealBroken):
            count_ballot(survey=other, at=timezone.now())


class TestPages:
    def test_votes_once_and_reads_the_result(self, client, practice, gp):
        gps = [make_user(Role.GP, practice) for _ in range(11)]
        ballot = make_open(Kind.BALLOT)
        for one in gps:
            give(ballot, one, 0)
        client.force_login(gp)
        page = f"/surveys/{ballot.public_id}/"
        assert "Your ballot" in client.get("/").content.decode()
        first = client.get(page).content.decode()
        assert "You cannot change your vote." in first and "checked" not in first and "Comment" not in first
        wrong = client.post(page).content.decode()
        assert "Select an answer" in wrong and "<title>Error: " in wrong
        told = client.post(page, {"option": "0"}, follow=True).content.decode()
        assert "You have voted. The result is shown here after" in told
        assert not re.search(r"I plan to follow.*?checked", told)
        assert "You have already voted" in client.post(page, {"option": "1"}).content.decode()
        assert "Your ballot" not in client.get("/").content.decode()
        assert "Results are shown after it is closed" in client.get(f"{page}results/").content.decode()
        closed(ballot)
        assert "are being counted" in client.get(f"{page}results/").content.decode()
        count_closed_ballots()
        told = client.get(f"{page}results/").content.decode()
        assert "12 of 12 GPs invited voted (100%)." in told and "voted “I plan to follow”" in told

    def test_a_gp_who_is_not_on_the_roll_finds_nothing(self, client, gp):
        ballot = make_open(Kind.BALLOT)
        later = make_user(Role.GP)
        client.force_login(later)
        for address in (f"/surveys/{ballot.public_id}/", f"/surveys/{ballot.public_id}/results/"):
            assert client.get(address).status_code == 404 and client.post(address).status_code in {404, 405}
        assert str(ballot.public_id) not in client.get("/surveys/").content.decode()
