"""The ground: practices, patients, staff, summary content, the upload-job row and the access log."""
