"""Break-glass: a clinician opens the sensitive studies of one patient for four hours, and answers for it.

It is for reading alone. Forensic material and one's own or family record stay closed; exports and searches across
patients take no account of it (`access.model`). Every use is told to the privacy officers at once, and reviewed.
"""
