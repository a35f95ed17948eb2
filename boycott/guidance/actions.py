"""Writing, publishing and acknowledging guidance. Every verb adds rows; none changes one."""

import datetime

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from boycott.models import (
    GuidanceAcknowledgement,
    GuidancePage,
    GuidancePublication,
    GuidanceRevision,
    PolicyChange,
)
from boycott.positions import Capacity
from carerecords import staffing
from carerecords.models import Practice, User
from carerecords.permissions import Permission

# Words of addresses that are no page's.
TAKEN = {"new"}


class GuidanceRefused(Exception):
    """It cannot be done; `field` names what to mend, the message says how."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@transaction.atomic
def begin(
    *,
    title: str,
    text: str,
    by: User,
    at: datetime.datetime,
    change: PolicyChange | None = None,
) -> GuidanceRevision:
    """A new page with its first draft; its address is made of the title. Raises `GuidanceRefused`."""
    staffing.require(by, Permission.WRITE_GUIDANCE, at)
    slug = slugify(title)[: GuidancePage._meta.get_field("slug").max_length].strip("-")
    if not slug or slug in TAKEN:
        raise GuidanceRefused("title", "Enter a title that begins with a word")
    try:
        with transaction.atomic():
            page = GuidancePage.objects.create(slug=slug, made_at=at, made_by=by)
    except IntegrityError:
        raise GuidanceRefused("title", "A guidance page has this title already. Change that one") from None
    return _append(page, 1, title=title, text=text, changed="", change=change, by=by, at=at)


@transaction.atomic
def write(
    *,
    page: GuidancePage,
    title: str,
    text: str,
    changed: str,
    seen: int,
    by: User,
    at: datetime.datetime,
    change: PolicyChange | None = None,
) -> GuidanceRevision:
    """The next draft of a page. `seen` is the number of the revision that the writer began from.

    Raises `GuidanceRefused` when somebody else wrote in between, and when a page that practices have
    read before does not say what is new.
    """
    staffing.require(by, Permission.WRITE_GUIDANCE, at)
    latest = _locked(page)
    if latest.number != seen:
        raise GuidanceRefused("text", f"{latest.made_by.short_name} changed this page while you were writing")
    if not changed.strip() and page.publications.exists():
        raise GuidanceRefused("changed", "Enter what is new in this version")
    return _append(page, seen + 1, title=title, text=text, changed=changed, change=change, by=by, at=at)


def publish(
    *,
    revision: GuidanceRevision,
    by: User,
    at: datetime.datetime,
    change: PolicyChange | None = None,
) -> GuidancePublication:
    """Puts a draft before all practices as the next version of its page.

    Joins the caller's transaction, so that guidance and the change of policy it belongs to (`change`)
    take effect together or not at all; whether `by` may is then for the change to say. Raises `GuidanceRefused` when it is not the latest writing, is
    published already, belongs to another change than this, or was written by whoever publishes it.
    """
    if change is None:
        staffing.require(by, Permission.WRITE_GUIDANCE, at)
    with transaction.atomic():
        latest = _locked(revision.page)
        if latest.pk != revision.pk:
            raise GuidanceRefused(
                "revision", f"{latest.made_by.short_name} changed this draft since. Read it again"
            )
        if GuidancePublication.objects.filter(revision=revision).exists():
            raise GuidanceRefused("revision", "This draft is published already")
        if revision.change_id != (change.pk if change else None):
            raise GuidanceRefused("change", "This guidance is published with its change of policy")
        if revision.made_by_id == by.pk:
            raise GuidanceRefused(
                "by", "You cannot publish what you wrote yourself. Ask another policy admin"
            )
        before = revision.page.publications.order_by("-version").first()
        return GuidancePublication.objects.create(
            page=revision.page,
            version=before.version + 1 if before else 1,
            revision=revision,
            made_at=at,
            made_by=by,
        )


def acknowledge(
    *,
    publication: GuidancePublication,
    practice: Practice,
    capacity: Capacity,
    by: User,
    at: datetime.datetime,
) -> GuidanceAcknowledgement:
    """That the practice has read this version. The first who says so counts: a second press finds theirs.

    Raises `GuidanceRefused` when a newer version is out.
    """
    staffing.require(by, Permission.ACKNOWLEDGE_GUIDANCE, at)
    newest = publication.page.publications.order_by("-version").first()
    if newest is None or newest.pk != publication.pk:
        raise GuidanceRefused("publication", "A newer version was published. Read it first")
    found, _ = GuidanceAcknowledgement.objects.get_or_create(
        publication=publication,
        practice=practice,
        defaults={"capacity": capacity, "made_at": at, "made_by": by},
    )
    return found


def _locked(page: GuidancePage) -> GuidanceRevision:
    """The latest revision; until the transaction ends nobody else writes or publishes this page."""
    GuidancePage.objects.select_for_update().get(pk=page.pk)
    return page.revisions.select_related("made_by").latest("number")


def _append(
    page: GuidancePage,
    number: int,
    *,
    title: str,
    text: str,
    changed: str,
    change: PolicyChange | None,
    by: User,
    at: datetime.datetime,
) -> GuidanceRevision:
    return GuidanceRevision.objects.create(
        page=page,
        number=number,
        title=title.strip(),
        text=text.strip(),
        changed=changed.strip(),
        change=change,
        made_at=at,
        made_by=by,
    )
