"""The fault run: real services, one fault after another, and after each the store's ledger against our rows."""
