"""Which patients a run is about, as one query. The gate has its say later, job by job."""

import datetime
from collections.abc import Callable

from django.db.models import Q
from django.utils import timezone

from carerecords.models.patient import PatientQuerySet
from consent.codes import ConsentState
from spine.fact_groups import HAS_COPY
from spine.policy.effects import SILENT
from spine.runs.asking import REFUSED
from spine.runs.codes import RunGroup, RunKind
from spine.runs.listed import patients_matching
from spine.runs.models import SendingRun
from spine.sending.outgoing import NOTICE_HASH

_NOTED = Q(store_copy__content_hash__startswith=NOTICE_HASH)
EXPRESS = (ConsentState.EXPRESS_CORE, ConsentState.EXPRESS_ADDITIONAL)

_OF_GROUP = {
    RunGroup.ALL: Q(),
    RunGroup.EXPRESS: Q(consent_state__in=EXPRESS),
    RunGroup.SILENT: Q(consent_state__in=SILENT),
}


def patients_of(run: SendingRun, patients: PatientQuerySet, at: datetime.datetime) -> PatientQuerySet:
    """Those of the patients that the run is about."""
    about = _ABOUT[RunKind(run.kind)](run, at)
    there = patients if run.kind == RunKind.LEAVERS else patients.here()
    if run.list_filter and run.practice:
        there = there.filter(pk__in=patients_matching(run.practice, run.list_filter).values("pk"))
    return there.filter(about, _OF_GROUP[RunGroup(run.group)])


def _of_initial(run: SendingRun, at: datetime.datetime) -> Q:
    return ~HAS_COPY


def _of_update(run: SendingRun, at: datetime.datetime) -> Q:
    if run.older_than_days is None:
        return HAS_COPY
    return HAS_COPY & Q(store_copy__accepted_at__lt=at - datetime.timedelta(days=run.older_than_days))


def _of_migration(run: SendingRun, at: datetime.datetime) -> Q:
    """A refusal is brought to the store unless a blank record of ours says so there already."""
    blank = Q(store_copy__is_blank=True)
    return Q(consent_state__in=EXPRESS) & ~HAS_COPY | Q(consent_state__in=REFUSED) & ~blank


def _of_leavers(run: SendingRun, at: datetime.datetime) -> Q:
    """Who left and came to no other practice of ours: those belong to it."""
    return HAS_COPY & ~_NOTED & Q(left_on__lte=timezone.localdate(at), died_on__isnull=True)


def _of_ended(run: SendingRun, at: datetime.datetime) -> Q:
    return HAS_COPY & ~_NOTED


_ABOUT: dict[RunKind, Callable[[SendingRun, datetime.datetime], Q]] = {
    RunKind.INITIAL: _of_initial,
    RunKind.UPDATE: _of_update,
    RunKind.MIGRATION: _of_migration,
    RunKind.LEAVERS: _of_leavers,
    RunKind.ENDED: _of_ended,
}
