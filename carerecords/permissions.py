"""Who may do what. Roles are code: a change here is a reviewed commit, and the matrix is a test.

Source: the roles table of the screens design (section 4), whose analogues in the NHS role-based
access control list are named beside each permission where one is known.
"""

from dataclasses import dataclass
from enum import StrEnum


class Permission(StrEnum):
    """May this user do it at all? Whether it is possible *now* is a rule, not a permission."""

    ACKNOWLEDGE_GUIDANCE = "acknowledge_guidance"
    ANSWER_SURVEY = "answer_survey"
    APPLY_IMPORT = "apply_import"
    APPROVE_POSITION = "approve_position"
    BULK_CONSENT = "bulk_consent"
    BULK_REFUSAL = "bulk_refusal"
    CHANGE_CONSENT_MODEL = "change_consent_model"
    CHANGE_POSITION = "change_position"  # B0062, switch GP Summary on or off
    CONVERT_REFUSALS = "convert_refusals"
    EXPORT_PATIENTS = "export_patients"
    FIND_PATIENTS = "find_patients"
    OPEN_SENSITIVE_RECORD = "open_sensitive_record"  # B1611
    RECORD_CONSENT = "record_consent"  # B0020 and B0380
    RECORD_CONSENT_ADDITIONAL = "record_consent_additional"  # B0020
    RECORD_CONSENT_WITHOUT_REFERENCE = "record_consent_without_reference"
    RECORD_REFUSAL = "record_refusal"
    RESOLVE_CONFLICT = "resolve_conflict"
    RETRY_UPLOAD = "retry_upload"  # B8029
    REVERSE_ANY_DECISION = "reverse_any_decision"  # B8029
    REVERSE_OWN_DECISION = "reverse_own_decision"
    RUN_SURVEY = "run_survey"
    RUN_UPLOADS = "run_uploads"  # B0380, B8028 and B8029, run bulk uploads and the queue
    SEE_ACCESS_LOG = "see_access_log"
    SEE_CLINICAL_PREVIEW = "see_clinical_preview"
    SEE_CONSENT_EVIDENCE = "see_consent_evidence"
    SEE_IMPORTS = "see_imports"
    SEE_NATIONAL_REPORTS = "see_national_reports"
    SEE_POLICY = "see_policy"
    SEE_POLICY_CHANGES = "see_policy_changes"
    SEE_SURVEYS = "see_surveys"
    SEE_UPLOADS = "see_uploads"
    SEE_UPLOAD_PROBLEMS = "see_upload_problems"
    SET_OWN_GP_STANCE = "set_own_gp_stance"
    SET_PRACTICE_STANCE = "set_practice_stance"
    SET_STORE_PERMISSION = "set_store_permission"
    STOP_UPLOADS = "stop_uploads"
    UPLOAD_IMPORT = "upload_import"
    WRITE_GUIDANCE = "write_guidance"

    @property
    def sentence(self) -> str:
        """What it lets one do, to follow "Your role cannot"."""
        return _SENTENCES[self]


_SENTENCES = {
    Permission.ACKNOWLEDGE_GUIDANCE: "acknowledge guidance for the practice",
    Permission.APPLY_IMPORT: "approve an import",
    Permission.BULK_CONSENT: "record consent for several patients at once",
    Permission.BULK_REFUSAL: "record refusals, letters or deferrals for several patients at once",
    Permission.CONVERT_REFUSALS: "turn refusals that no patient made into the practice's stance",
    Permission.RETRY_UPLOAD: "try uploads again or cancel them",
    Permission.EXPORT_PATIENTS: "take lists of patients out of the service",
    Permission.RESOLVE_CONFLICT: "resolve decisions that disagree",
    Permission.SEE_CLINICAL_PREVIEW: "see the clinical content of an upload",
    Permission.SEE_CONSENT_EVIDENCE: "see how refusals were recorded across the practice",
    Permission.UPLOAD_IMPORT: "upload an import",
    Permission.APPROVE_POSITION: "approve a change of the BMA policy",
    Permission.CHANGE_CONSENT_MODEL: "change what counts as consent",
    Permission.CHANGE_POSITION: "change the BMA policy",
    Permission.FIND_PATIENTS: "find or open patients",
    Permission.OPEN_SENSITIVE_RECORD: "open sensitive records",
    Permission.RECORD_CONSENT: "record that a patient consents",
    Permission.RECORD_CONSENT_ADDITIONAL: "record consent to additional information",
    Permission.RECORD_CONSENT_WITHOUT_REFERENCE: "record consent without a letter or form reference",
    Permission.RECORD_REFUSAL: "record that a patient refuses",
    Permission.REVERSE_ANY_DECISION: "undo a decision that somebody else recorded",
    Permission.REVERSE_OWN_DECISION: "undo a decision",
    Permission.SEE_ACCESS_LOG: "see who has looked at a record",
    Permission.SEE_IMPORTS: "see imports",
    Permission.SEE_NATIONAL_REPORTS: "see national reports",
    Permission.SEE_POLICY: "see the BMA policy",
    Permission.SEE_POLICY_CHANGES: "see changes of the BMA policy before they are made",
    Permission.SEE_UPLOADS: "see uploads",
    Permission.SEE_UPLOAD_PROBLEMS: "see how many uploads need somebody, and why",
    Permission.SET_OWN_GP_STANCE: "hold uploads for your own patients",
    Permission.SET_PRACTICE_STANCE: "answer the BMA policy for the practice",
    Permission.SET_STORE_PERMISSION: "set a patient's permission at the Spine",
    Permission.ANSWER_SURVEY: "answer surveys or vote in ballots",
    Permission.RUN_SURVEY: "run surveys and ballots",
    Permission.RUN_UPLOADS: "run the uploads of many patients",
    Permission.SEE_SURVEYS: "see surveys and ballots",
    Permission.STOP_UPLOADS: "stop all uploads",
    Permission.WRITE_GUIDANCE: "write or publish guidance",
}

P = Permission
_DESK = {
    P.FIND_PATIENTS,
    P.RECORD_CONSENT,
    P.RECORD_REFUSAL,
    P.REVERSE_OWN_DECISION,
    P.SEE_POLICY,
    P.SEE_UPLOADS,
    P.SEE_UPLOAD_PROBLEMS,
}


@dataclass(frozen=True)
class RoleRule:
    """One role: its name, what it is for, whether it belongs to one practice, what it may do."""

    name: str
    description: str
    of_practice: bool
    permissions: frozenset[Permission]


class Role(StrEnum):
    """Stored as the stable code; the rest stands in `ROLES`."""

    GP = "GP"
    STAFF = "STAFF"
    PRACTICE_MANAGER = "PRACTICE_MANAGER"
    PRIVACY_OFFICER = "PRIVACY_OFFICER"
    POLICY_ADMIN = "POLICY_ADMIN"
    NATIONAL_ADMIN = "NATIONAL_ADMIN"
    AUDITOR = "AUDITOR"
    API_CLIENT = "API_CLIENT"

    @property
    def rule(self) -> RoleRule:
        return ROLES[self]


ROLES: dict[Role, RoleRule] = {
    Role.GP: RoleRule(
        "GP",
        "Records what patients decided, between two consultations.",
        True,
        frozenset(
            _DESK
            | {
                P.ACKNOWLEDGE_GUIDANCE,
                P.ANSWER_SURVEY,
                P.APPLY_IMPORT,
                P.BULK_CONSENT,
                P.BULK_REFUSAL,
                P.EXPORT_PATIENTS,
                P.OPEN_SENSITIVE_RECORD,
                P.RECORD_CONSENT_ADDITIONAL,
                P.RECORD_CONSENT_WITHOUT_REFERENCE,
                P.RESOLVE_CONFLICT,
                P.REVERSE_ANY_DECISION,
                P.SEE_CLINICAL_PREVIEW,
                P.SEE_CONSENT_EVIDENCE,
                P.SEE_IMPORTS,
                P.SEE_SURVEYS,
                P.SET_OWN_GP_STANCE,
                P.SET_STORE_PERMISSION,
            }
        ),
    ),
    Role.STAFF: RoleRule(
        "Receptionist or staff",
        "Enters letters and forms that came back.",
        True,
        frozenset(_DESK | {P.SEE_IMPORTS, P.UPLOAD_IMPORT}),
    ),
    Role.PRACTICE_MANAGER: RoleRule(
        "Practice manager",
        "Runs bulk work and reports, and answers the BMA policy for the practice.",
        True,
        frozenset(
            _DESK
            | {
                P.ACKNOWLEDGE_GUIDANCE,
                P.APPLY_IMPORT,
                P.BULK_CONSENT,
                P.BULK_REFUSAL,
                P.CONVERT_REFUSALS,
                P.EXPORT_PATIENTS,
                P.RETRY_UPLOAD,
                P.REVERSE_ANY_DECISION,
                P.RUN_UPLOADS,
                P.SEE_CONSENT_EVIDENCE,
                P.SEE_IMPORTS,
                P.SET_PRACTICE_STANCE,
                P.UPLOAD_IMPORT,
            }
        ),
    ),
    Role.PRIVACY_OFFICER: RoleRule(
        "Privacy officer",
        "Caldicott Guardian or privacy officer: sees who saw what, and resolves differences.",
        True,
        frozenset(
            {
                P.EXPORT_PATIENTS,
                P.FIND_PATIENTS,
                P.OPEN_SENSITIVE_RECORD,
                P.RESOLVE_CONFLICT,
                P.REVERSE_ANY_DECISION,
                P.SEE_ACCESS_LOG,
                P.SEE_CLINICAL_PREVIEW,
                P.SEE_CONSENT_EVIDENCE,
                P.SEE_POLICY,
                P.SEE_UPLOADS,
                P.SEE_UPLOAD_PROBLEMS,
                P.SET_STORE_PERMISSION,
            }
        ),
    ),
    Role.POLICY_ADMIN: RoleRule(
        "BMA policy admin",
        "Records the union's motions and positions; a colleague approves what would change.",
        False,
        frozenset(
            {
                P.APPROVE_POSITION,
                P.CHANGE_POSITION,
                P.RUN_SURVEY,
                P.SEE_NATIONAL_REPORTS,
                P.SEE_POLICY,
                P.SEE_POLICY_CHANGES,
                P.SEE_SURVEYS,
                P.WRITE_GUIDANCE,
            }
        ),
    ),
    Role.NATIONAL_ADMIN: RoleRule(
        "National admin",
        "Runs the programme. Sees counts, never a patient.",
        False,
        frozenset(
            {
                P.APPROVE_POSITION,
                P.CHANGE_CONSENT_MODEL,
                P.RETRY_UPLOAD,
                P.RUN_UPLOADS,
                P.SEE_NATIONAL_REPORTS,
                P.SEE_POLICY,
                P.SEE_POLICY_CHANGES,
                P.SEE_UPLOAD_PROBLEMS,
                P.STOP_UPLOADS,
            }
        ),
    ),
    Role.AUDITOR: RoleRule(
        "Auditor",
        "Reads the trail of changes. Writes nothing.",
        False,
        frozenset({P.SEE_NATIONAL_REPORTS, P.SEE_POLICY, P.SEE_POLICY_CHANGES, P.SEE_SURVEYS}),
    ),
    Role.API_CLIENT: RoleRule(
        "API client",
        "A practice's own system, which records decisions with a reference.",
        True,
        frozenset(_DESK),
    ),
}


class NotPermitted(Exception):
    """The user's role does not include the permission; nothing was done."""

    def __init__(self, permission: Permission, role: Role | None) -> None:
        self.permission, self.role = permission, role
        name = role.rule.name if role else "none"
        super().__init__(f"Your role ({name}) cannot {permission.sentence}.")


def roles_with(permission: Permission) -> list[Role]:
    """The roles that hold a permission, in the order of the table."""
    return [role for role, rule in ROLES.items() if permission in rule.permissions]
