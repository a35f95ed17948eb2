"""The accounts of the demo: one or two for each role, one password. The passwords of made-up people only."""

from dataclasses import dataclass

from carerecords.permissions import Role

PASSWORD = "three-practices-2007"
# The token of the API account: forty characters, as rest_framework.authtoken stores them.
API_TOKEN = "demo-api-token-for-made-up-patients-only"


@dataclass(frozen=True)
class Account:
    """One log-in, where it belongs (None: the nation; else the index of a place), what to try."""

    email: str
    role: Role
    place: int | None
    title: str
    given_name: str
    family_name: str
    to_try: str


ACCOUNTS = [
    Account("gp@demo.example", Role.GP, 0, "Dr", "Amina", "Khan", "Record a patient's consent, then undo it"),
    Account(
        "reception@demo.example", Role.STAFF, 0, "Mrs", "Joan", "Loveless", "Enter a form that came back"
    ),
    Account(
        "manager@demo.example",
        Role.PRACTICE_MANAGER,
        0,
        "Mr",
        "Peter",
        "Hallett",
        "Answer the BMA policy for the practice",
    ),
    Account(
        "privacy@demo.example", Role.PRIVACY_OFFICER, 0, "Ms", "Ruth", "Osborne", "See who opened a record"
    ),
    Account("api@demo.example", Role.API_CLIENT, 0, "", "Practice", "System", "Call the API with the token"),
    Account(
        "gp2@demo.example", Role.GP, 1, "Dr", "James", "Crompton", "Another practice: cannot see the first's"
    ),
    Account(
        "policy@demo.example",
        Role.POLICY_ADMIN,
        None,
        "Dr",
        "Helen",
        "Vaughan",
        "Send the boycott for approval",
    ),
    Account(
        "policy2@demo.example", Role.POLICY_ADMIN, None, "Mr", "Owen", "Pritchard", "Approve what she sent"
    ),
    Account(
        "national@demo.example", Role.NATIONAL_ADMIN, None, "Mr", "David", "Osei", "Stop all uploads at once"
    ),
    Account(
        "national2@demo.example",
        Role.NATIONAL_ADMIN,
        None,
        "Mrs",
        "Nkechi",
        "Obi",
        "Review a stop, and resume",
    ),
    Account("auditor@demo.example", Role.AUDITOR, None, "Ms", "Farah", "Malik", "Read the trail of changes"),
]
