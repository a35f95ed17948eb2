"""What each patient decided about the upload of their summary."""
