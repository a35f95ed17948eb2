"""Practical steps for GPs: written, published with a change of policy or by itself, acknowledged.

For the workflow of changes, inside its own transaction:

    draft_of(change)                                    the guidance that would be published with it
    published_with(change)                              what was published with it before
    fingerprint(draft)                                  of all that readers would see of it
    publish(revision=draft, change=change, by=…, at=…)  raises `GuidanceRefused`
"""

from boycott.guidance.actions import GuidanceRefused, publish
from boycott.guidance.queries import draft_of, fingerprint, published_with

__all__ = ["GuidanceRefused", "draft_of", "fingerprint", "publish", "published_with"]
