"""Dispensations: named practices released from a position in force, by two people, for a time."""
