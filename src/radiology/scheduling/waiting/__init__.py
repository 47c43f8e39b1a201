"""Who waits for a time: what becomes free is held for the next and offered."""
