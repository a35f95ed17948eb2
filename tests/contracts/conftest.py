from tests.localstore_process import localstore  # noqa: F401  (a fixture, found by name)
