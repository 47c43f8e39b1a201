"""Rejected and repeated exposures, by reason, machine, month and radiographer. Whose they are, only quality sees."""
