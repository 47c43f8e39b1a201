"""Facilities, their devices and operators: what can be done where, and where it is done best."""
