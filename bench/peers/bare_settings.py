"""Django and nothing else: no middleware, no log-in, one page of bytes that are ready."""

from config.settings import *  # noqa: F403

INSTALLED_APPS = []
MIDDLEWARE = []
ROOT_URLCONF = "bench.peers.bare_urls"
