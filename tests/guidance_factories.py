"""Guidance for tests, written and published as the product does it."""

from django.utils import timezone

from boycott.guidance.actions import acknowledge, begin, publish, write
from boycott.positions import Capacity
from carerecords.permissions import Role
from tests.factories import make_user

GUIDANCE_SLUG = "practical-steps-for-gps"
TEXT = """Advice to members: your practice decides.

# Before you stop

- [ ] Talk to **all** partners
- [ ] Record the [practice stance](/practice/stance/)

# What never to do

Never write the policy into patients' records.
"""


def make_guidance(page=None, text=TEXT, by=None, at=None, **more):
    """A draft: of a new page, or the next one of a page."""
    fields = {"title": "Practical steps for GPs", "text": text, "by": by or make_user(Role.POLICY_ADMIN)}
    fields |= {"at": at or timezone.now()}
    if page is None:
        return begin(**fields | more)
    fields |= {"changed": "A step more.", "seen": page.revisions.latest("number").number}
    return write(page=page, **fields | more)


def publish_guidance(draft, by=None, at=None, **more):
    return publish(revision=draft, by=by or make_user(Role.POLICY_ADMIN), at=at or timezone.now(), **more)


def acknowledge_guidance(publication, practice, by=None):
    return acknowledge(
        publication=publication,
        practice=practice,
        capacity=Capacity.MANAGER,
        by=by or make_user(Role.PRACTICE_MANAGER, practice),
        at=timezone.now(),
    )
