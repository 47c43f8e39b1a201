"""Every SQL statement of scheduling."""
