"""Pages to look into the store with a browser: server-made HTML, no script, nothing from elsewhere."""
