"""Accounts of people and programs: made, changed and closed by administrators; password, second step and sessions by
their owners.

How a credential becomes an actor is in `access`; here is what changes accounts, with its audit.
"""
