"""Import of decisions, letters and patients from files: read, staged, checked, approved, applied."""
