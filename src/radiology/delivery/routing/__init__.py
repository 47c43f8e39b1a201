"""Routing: rules say which of what is stored is sent on, where, and when; a list shows what waits and why."""
