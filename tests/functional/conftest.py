"""The browser's fixtures. Imported here once: a second import would start a second browser."""

from tests.browser import browser, contexts, log_in, page, page_without_javascript, screen

__all__ = ["browser", "contexts", "log_in", "page", "page_without_javascript", "screen"]
