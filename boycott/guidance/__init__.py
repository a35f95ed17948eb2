"""Practical steps for GPs: written, published with a change of policy or by itself, acknowledged.

For the workflow of changes, inside its own transaction:

    draft_of(change)                                    the guidance that would be published with it
    fingerprint(draft)                                  of all that readers would see of it
    publish(revision=draft, change=change, by=…, at=…)  raises `GuidanceRefused`
"""

from boycott.guidance.actions import GuidanceRefused, publish
from boycott.guidance.queries import draft_of, fingerprint

__all__ = ["GuidanceRefused", "draft_of", "fingerprint", "publish"]
