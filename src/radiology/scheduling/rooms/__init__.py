"""Rooms, their devices and weeks; what is blocked; holidays and the rules of a facility."""
