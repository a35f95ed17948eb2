"""The local store: a stand-in for the Summary Care Record FHIR API, run as a process of its own.

It has its own database and imports nothing else of this project, so that its ledger is an
independent witness of what the product sent. Start it with `python -m spine.localstore`.
What it copies and where it had to choose: docs/adr/0020-local-store.md.
"""
