"""Whether other archives answer, and since when."""
