"""The code systems and codes of the Summary Care Record FHIR API that the store reads or writes.

Source: NHSDigital/summary-care-record-api at 91bdd281 (2026-02-24).
"""

from __future__ import annotations

FHIR_JSON = "application/fhir+json"

RFC4122 = "https://tools.ietf.org/html/rfc4122"
SNOMED = "http://snomed.info/sct"
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
SUMMARY_ID = "https://fhir.nhs.uk/Id/nhsSCRUUID"
ODS_CODE = "https://fhir.nhs.uk/Id/ods-organization-code"
SDS_USER = "https://fhir.nhs.uk/Id/sds-user-id"
# The API still reads the old host for role profiles (Java ParticipantAgentMapper).
SDS_ROLE_PROFILE = "http://fhir.nhs.net/Id/sds-role-profile-id"
SDS_JOB_ROLE = "https://fhir.nhs.uk/CodeSystem/HL7v3-SDSJobRoleName"
PERMISSION = "https://fhir.nhs.uk/CodeSystem/SCR-ACSPermission"
ALERT_TYPE = "https://fhir.nhs.uk/CodeSystem/SCR-AlertType"
ALERT_REASON = "https://fhir.nhs.uk/CodeSystem/SCR-AlertReason"
ALERT_MESSAGE = "https://fhir.nhs.uk/StructureDefinition/Extension-SCR-NotificationMessage"

GP_SUMMARY = "196981000000101"
GP_SUMMARY_DISPLAY = "General Practice Summary"
CARE_PROFESSIONAL_DOCUMENTATION = "163171000000105"
CARE_PROFESSIONAL_DOCUMENTATION_DISPLAY = "Care Professional Documentation"

# Permission values. "Yes" is legacy and "must be treated the same as 'Ask'" (PartPermissionCode.yaml);
# a patient nobody asked about counts as "Ask" (Java EventListQueryResponseParser).
NO, ASK, YES = "No", "Ask", "Yes"
PERMISSION_CODES = frozenset({NO, ASK, YES})

# A summary whose only section is this one says who wrote it and when, and nothing clinical.
TITLE_SECTION = "Title"

# Resources that say who and where; any other resource in an upload carries clinical content.
NON_CLINICAL_RESOURCES = frozenset(
    {"Composition", "Patient", "Practitioner", "PractitionerRole", "Organization", "Device", "RelatedPerson"}
)
