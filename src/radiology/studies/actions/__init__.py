"""Every change of a study, by verb."""
