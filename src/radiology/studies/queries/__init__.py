"""Every SQL statement of the studies feature, by verb."""
