"""The one path from an upload job to the central store and back."""
