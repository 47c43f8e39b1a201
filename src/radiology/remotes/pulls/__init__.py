"""Fetching a study from another archive because somebody, or a rule, asked for it."""
