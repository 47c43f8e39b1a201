"""Other archives: what they have, and how it comes here."""
