"""SQL of the reading worklist: its rows, the list that readers see, and what is said beside it."""
