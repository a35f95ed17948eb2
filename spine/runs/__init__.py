"""Bulk runs of sending: one request for the uploads of many patients, fed to the senders by and by."""
