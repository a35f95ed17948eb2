"""Which patients a run is about, as one query. The gate has its say later, job by job."""

import datetime
from collections.abc import Callable

from django.db.models import Q

from carerecords.models.patient import PatientQuerySet
from consent.codes import ConsentState
from spine.effects import SILENT
from spine.fact_groups import HAS_COPY
from spine.runs.asking import REFUSED
from spine.runs.codes import RunGroup, RunKind
from spine.runs.models import SendingRun

EXPRESS = (ConsentState.EXPRESS_CORE, ConsentState.EXPRESS_ADDITIONAL)

_OF_GROUP = {
    RunGroup.ALL: Q(),
    RunGroup.EXPRESS: Q(consent_state__in=EXPRESS),
    RunGroup.SILENT: Q(consent_state__in=SILENT),
}


def patients_of(run: SendingRun, patients: PatientQuerySet, at: datetime.datetime) -> PatientQuerySet:
    """Those of the patients that the run is about."""
    about = _ABOUT[RunKind(run.kind)](run, at)
    return patients.here().filter(about, _OF_GROUP[RunGroup(run.group)])


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


_ABOUT: dict[RunKind, Callable[[SendingRun, datetime.datetime], Q]] = {
    RunKind.INITIAL: _of_initial,
    RunKind.UPDATE: _of_update,
    RunKind.MIGRATION: _of_migration,
}
