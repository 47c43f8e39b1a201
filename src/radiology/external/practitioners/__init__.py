"""The practitioner registry: who is a registered doctor, of which specialty, with which privileges where.

One Protocol (`model.Registry`) with two implementations: a local table, and a client of a FHIR R4 server.
"""
