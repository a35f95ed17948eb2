"""Views of the consent pages, a module a page."""
