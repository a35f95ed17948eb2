"""What is wrong with a row when it is held against the practice's patients. Pure.

None of them may tell whether somebody exists in another practice: who is registered there, and who
is nowhere, get the same words. No colon may stand in them: SQL parts verdict and sentence by one.
"""

NOT_FOUND = "This patient was not found in your practice list."
WRONG_BIRTH = "Date of birth does not match this NHS number."
GONE = "This patient has died or left the practice."
SAME_DAY = "Another decision of the same date is recorded. Change it on the patient's page."
CONFLICTING = "Two decisions of this patient disagree. Settle that on the patient's page first."
NO_GP = "USUAL_GP_GMC is not a GP of your practice."
NOT_TO_REGISTER = (
    "This patient cannot be registered from a file. Check the NHS number, the date of birth and "
    "REGISTERED_ON, and that any earlier registration has ended."
)
