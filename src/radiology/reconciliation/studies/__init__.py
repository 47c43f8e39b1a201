"""Repairs of studies: whose they are, which order they belong to, what is served of them, what lies in which."""
