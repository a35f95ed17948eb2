"""Django and nothing else: no middleware, no log-in, one page of bytes that are ready."""

from config.settings import *  # noqa: F403

INSTALLED_APPS: list[str] = []
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "bench.peers.bare_urls"
