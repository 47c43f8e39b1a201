"""Studies are offered to readers one after the other, escalated when time runs out, and never silently assigned."""
