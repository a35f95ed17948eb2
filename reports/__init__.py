"""Reads across the other apps; writes nothing."""
