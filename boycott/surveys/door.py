"""Which surveys somebody may open: a GP those on whose roll they stand, policy admins all, others those
that were opened. Anything else does not exist for them."""

import datetime
import uuid

from django.db.models import QuerySet
from django.http import Http404

from boycott.models import RollEntry, Survey
from boycott.surveys.queries import Standing, asked_of, entry_of, opened, standing_of
from carerecords.middleware import CareRequest
from carerecords.permissions import Permission


def visible(request: CareRequest, at: datetime.datetime) -> QuerySet[Survey]:
    """All that the reader may open."""
    if request.can(Permission.ANSWER_SURVEY):
        return asked_of(request.user, at)
    return Survey.objects.all() if request.can(Permission.RUN_SURVEY) else opened()


def open_door(
    request: CareRequest, public_id: uuid.UUID, at: datetime.datetime
) -> tuple[Standing, RollEntry | None]:
    """One of them with the reader's own place on its roll; 404 for any other."""
    survey = visible(request, at).filter(public_id=public_id).first()
    if survey is None:
        raise Http404
    entry = entry_of(survey, request.user) if request.can(Permission.ANSWER_SURVEY) else None
    return standing_of(survey, at), entry
