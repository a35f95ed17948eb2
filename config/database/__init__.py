"""Django's PostgreSQL backend, with an end to waiting: `ENGINE` of the settings.

A server that is killed says so, and every statement fails at once. One that is frozen, or behind a
network that swallows packets, says nothing, and a page would wait for as long as it does.
"""
