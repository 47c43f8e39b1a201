"""Which reader is given which study, and why: pure, deterministic, explained."""
