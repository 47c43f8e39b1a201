"""Associations: what happened at the DICOM port, and what to change where it went wrong.

A trace says who called, what was proposed, answered and done, and how it ended. The DICOM door writes traces in batches
beside its work; where the database is away traces are lost, never images. A diagnosis is a pure function of a trace.
"""
