"""What happened from 2007 to 2026, run again by today's rule: pure, and with no patient in it."""
