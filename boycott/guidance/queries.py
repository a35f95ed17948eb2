"""Reading guidance: what is out, what is drafted, and which practices have read it."""

import datetime
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from boycott.change_states import ON_THE_WAY, ChangeState
from boycott.models import (
    ChangeStep,
    GuidanceAcknowledgement,
    GuidancePage,
    GuidancePublication,
    GuidanceRevision,
    PolicyChange,
)
from carerecords.models import Practice

# Guidance can be written for a change that is not settled yet.
UNSETTLED = {ChangeState.DRAFT, ChangeState.SUSPENDED, *ON_THE_WAY}


@dataclass(frozen=True)
class Listed:
    """One page as the list shows it: what is out, and what waits to be published."""

    page: GuidancePage
    current: GuidancePublication | None
    draft: GuidanceRevision | None
    acknowledged: GuidanceAcknowledgement | None

    @property
    def title(self) -> str:
        shown = self.current.revision if self.current else self.draft
        return shown.title if shown else self.page.slug


@dataclass(frozen=True)
class Rate:
    """How many of the active practices have acknowledged a version."""

    practices: int
    of: int


def newest() -> QuerySet[GuidancePublication]:
    """The version of each page that stands."""
    later = GuidancePublication.objects.filter(page=OuterRef("page"), version__gt=OuterRef("version"))
    return GuidancePublication.objects.filter(~Exists(later))


def current_of(page: GuidancePage) -> GuidancePublication | None:
    """The version that stands, if any was published."""
    return page.publications.select_related("revision", "made_by").order_by("-version").first()


def versions_of(page: GuidancePage) -> list[GuidancePublication]:
    """Every version, newest first, each with `acknowledged`: by how many practices."""
    counted = page.publications.annotate(acknowledged=Count("acknowledgements"))
    return list(counted.select_related("revision", "revision__made_by", "made_by").order_by("-version"))


def draft_on(page: GuidancePage) -> GuidanceRevision | None:
    """What waits to be published on a page, if anything does."""
    latest = page.revisions.select_related("made_by", "change", "page").order_by("-number").first()
    if latest is None or GuidancePublication.objects.filter(revision=latest).exists():
        return None
    return latest


def draft_of(change: PolicyChange) -> GuidanceRevision | None:
    """The guidance that would be published with a change: the newest draft that names it."""
    later = GuidanceRevision.objects.filter(page=OuterRef("page"), number__gt=OuterRef("number"))
    drafts = GuidanceRevision.objects.filter(~Exists(later), change=change, publication__isnull=True)
    return drafts.select_related("page", "made_by").order_by("-pk").first()


def published_with(change: PolicyChange) -> GuidanceRevision | None:
    """The guidance that was published last with a change."""
    out = GuidanceRevision.objects.filter(change=change, publication__isnull=False)
    return out.select_related("page", "made_by").order_by("-pk").first()


def fingerprint(revision: GuidanceRevision) -> str:
    """SHA-256 of all that readers would see: it changes with every letter of title or text."""
    said = [revision.page.slug, revision.title, revision.text, revision.changed]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def pages(practice: Practice | None, *, drafts: bool) -> list[Listed]:
    """Every page with a version out, and with `drafts` those that only wait. Four queries at most."""
    current = {one.page_id: one for one in newest().select_related("revision", "made_by")}
    waiting = {one.page_id: one for one in _drafts()} if drafts else {}
    read = acknowledged_by(practice, list(current.values())) if practice else {}
    rows = GuidancePage.objects.filter(pk__in={*current, *waiting}).order_by("slug")
    return [
        Listed(
            page,
            current.get(page.pk),
            waiting.get(page.pk),
            read.get(current[page.pk].pk) if page.pk in current else None,
        )
        for page in rows
    ]


def _drafts() -> QuerySet[GuidanceRevision]:
    later = GuidanceRevision.objects.filter(page=OuterRef("page"), number__gt=OuterRef("number"))
    return GuidanceRevision.objects.filter(~Exists(later), publication__isnull=True).select_related("made_by")


def acknowledged_by(
    practice: Practice, publications: Sequence[GuidancePublication]
) -> dict[int, GuidanceAcknowledgement]:
    """What a practice has acknowledged of these, by the publication's key."""
    rows = GuidanceAcknowledgement.objects.filter(practice=practice, publication__in=publications)
    return {row.publication_id: row for row in rows.select_related("made_by")}


def unread(practice: Practice) -> QuerySet[GuidancePublication]:
    """The versions that stand and that the practice has not acknowledged."""
    read = GuidanceAcknowledgement.objects.filter(publication=OuterRef("pk"), practice=practice)
    return newest().filter(~Exists(read))


def rate_of(publication: GuidancePublication) -> Rate:
    """Its acknowledgements among the practices that are active now. One query."""
    read = GuidanceAcknowledgement.objects.filter(publication=publication).values("practice")
    counted = Practice.objects.filter(status=Practice.Status.ACTIVE).aggregate(
        all=Count("pk"), read=Count("pk", filter=Q(pk__in=Subquery(read)))
    )
    return Rate(counted["read"], counted["all"])


def unsettled_changes(at: datetime.datetime) -> list[ChangeStep]:
    """The last step of each change that guidance can still be written for, newest first."""
    later = ChangeStep.objects.filter(change=OuterRef("change"), number__gt=OuterRef("number"))
    last = ChangeStep.objects.filter(~Exists(later)).select_related("change", "content", "content__motion")
    return [step for step in last.order_by("-change") if step.state(at) in UNSETTLED]
