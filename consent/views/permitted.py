"""What the user of a request may do, and where."""

from django.http import Http404

from carerecords.middleware import CareRequest
from carerecords.models import Practice
from carerecords.permissions import Permission


def practice_of(request: CareRequest) -> Practice:
    """The user's own practice; national roles have none, and no patients."""
    if request.practice is None:
        raise Http404
    return request.practice


def permissions_of(request: CareRequest) -> frozenset[Permission]:
    """All permissions of the role in which the user acts."""
    return request.role.rule.permissions if request.role else frozenset()
