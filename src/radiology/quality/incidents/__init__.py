"""Unintended exposures: who was exposed by mistake, how much, who was told, and what is done about it."""
