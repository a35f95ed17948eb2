"""What a change would do now: where it leads from and to, what it clashes with, and in figures."""

import datetime
from dataclasses import replace

from boycott.dossier import Dossier, as_revision, base_of, places
from boycott.figures import Figures
from boycott.lattice import Examined, examine
from boycott.measuring import measured
from boycott.positions import Phrase
from boycott.queries import standing_revisions
from boycott.rules import Revision, phrase_for, with_change


def base_now(found: Dossier, at: datetime.datetime) -> tuple[Revision | None, Revision]:
    """What its line says when it would start, and what it would say then."""
    then = as_revision(found, at)
    begins = then.effective_from
    return base_of(found.change.line, standing_revisions(since=begins), begins), then


def phrase_now(found: Dossier, at: datetime.datetime) -> Phrase | None:
    """What its approver must type."""
    base, then = base_now(found, at)
    return phrase_for(base, then, places())


def revisions_as_if_now(found: Dossier, at: datetime.datetime) -> tuple[Revision, ...]:
    """The standing revisions as they would be had the change begun at this moment.

    Also of one that is to start later: nobody knows the patients and answers of that day.
    """
    then = replace(as_revision(found, at), effective_from=at)
    return with_change(standing_revisions(since=at), then)


def figures_now(found: Dossier, at: datetime.datetime) -> Figures:
    """The gate's answers with and without it, counted now. One grouped query over patients with consent."""
    return measured(revisions_as_if_now(found, at), at)


def examined_with(found: Dossier, at: datetime.datetime) -> tuple[Revision, Examined]:
    """Every conflict and every position without effect once it is appended, from now on."""
    then = as_revision(found, at)
    return then, examine(with_change(standing_revisions(since=at), then), places(), at)


def examined_now(at: datetime.datetime) -> Examined:
    """The same of the policy as it stands."""
    return examine(standing_revisions(since=at), places(), at)
