"""The permission that the store keeps: set by a user, and compared with what patients decided here."""
