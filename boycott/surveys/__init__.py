"""Surveys and secret ballots of GPs: the roll, the answers, and what they say of all GPs."""
