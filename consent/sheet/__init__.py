"""The consent sheet: a frozen list of patients whose decisions are recorded one after another."""
