"""Prefetch: earlier studies of a patient are here, and where they are read, before the new one is."""
