"""Practitioners: who may interpret and approve, by permission and by what the registry says of them; delegations."""
