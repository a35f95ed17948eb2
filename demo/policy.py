"""The motions of 2007, and a change that rests on one of them, written and ready to be sent.

Source: Pulse, "Boycott throws care records into turmoil": two motions of the Annual Representative
Meeting, non-cooperation and a public inquiry. How the votes were cast is not known.
"""

import datetime

from boycott.content import Content
from boycott.drafting import draft_change
from boycott.guidance.actions import begin
from boycott.motions import MotionContent, record_motion
from boycott.positions import Direction, MotionStatus, Position
from boycott.queries import NATIONAL_LINE
from carerecords.models import User

AUTHOR = "policy@demo.example"
MEETING = "Annual Representative Meeting 2007"
MET_ON = datetime.date(2007, 6, 27)
GUIDANCE = """The meeting advises; your practice decides.

# Before you hold uploads

- [ ] Talk to all partners, and minute what you decide
- [ ] Record the [practice stance](/practice/stance/)
- [ ] Tell patients who ask that nothing changes in their care

# What never to do

Never write the policy into patients’ records. A refusal is a patient’s own.
"""


def write(at: datetime.datetime) -> None:
    """Two motions, a draft of a boycott and the guidance that goes with it. Nothing takes effect."""
    author = User.objects.get(email=AUTHOR)
    boycott = record_motion(
        content=MotionContent(
            body="BMA",
            meeting=MEETING,
            met_on=MET_ON,
            title="Centralised storage of medical records",
            text="That this Meeting advises all doctors not to co-operate with the centralised storage of "
            "medical records, as this seriously endangers patient confidentiality.",
            status=MotionStatus.ADOPTED,
            direction=Direction.NON_COOPERATION,
        ),
        by=author,
        at=at,
    )
    record_motion(
        content=MotionContent(
            body="BMA",
            meeting=MEETING,
            met_on=MET_ON,
            title="A public inquiry into the programme",
            text="That this Meeting calls for a public inquiry into the national programme for "
            "information technology in the health service.",
            status=MotionStatus.ADOPTED,
            direction=Direction.NEITHER,
        ),
        by=author,
        at=at,
    )
    drafted = draft_change(
        line=NATIONAL_LINE,
        content=Content(
            motion=boycott.motion,
            position=Position.NON_COOPERATION,
            reason="Adopted by the meeting. Guidance with practical steps goes with it.",
            end_condition="Until the independent evaluation is published",
        ),
        by=author,
        at=at,
    )
    begin(title="Practical steps for GPs", text=GUIDANCE, change=drafted.change, by=author, at=at)
