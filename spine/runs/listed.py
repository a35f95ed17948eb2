"""A run for those patients of a practice who match a filter of its list. A search is none: it names people."""

from carerecords.models import Practice
from carerecords.models.patient import PatientQuerySet
from consent import list_words
from consent.list_query import ListQuery
from consent.patient_list import matching
from consent.usual_gps import usual_gps


def filter_of(text: str) -> str:
    """The filters in an address of the list, without order, place and search."""
    return str(ListQuery.of(ListQuery.read(text).in_force))


def words_of(practice: Practice, text: str) -> str:
    """The filters in words; nothing where there are none. One query."""
    query = ListQuery.read(text)
    return " ".join(
        f"{each}." for each in list_words.said(query, list_words.words_of(usual_gps(practice))).values()
    )


def patients_matching(practice: Practice, text: str) -> PatientQuerySet:
    """Those who match now. A GP who is no longer there has no patients, so nobody matches."""
    return matching(practice, ListQuery.read(text), gps=usual_gps(practice))
