"""Letters to patients in plain words: what they chose, what is sent, and how to change their mind."""
