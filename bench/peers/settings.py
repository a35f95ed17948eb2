"""The product with the peers' pages added: behind the same log-in, middleware and frame."""

from pathlib import Path

from config.settings import *  # noqa: F403

ROOT_URLCONF = "bench.peers.urls"
TEMPLATES[0]["DIRS"].append(Path(__file__).parent / "templates")  # type: ignore[attr-defined]  # noqa: F405
