"""Repairs: what a person put right, with what was before, so that it can be undone. One transaction each."""
