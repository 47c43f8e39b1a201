"""Putting right who a patient is (IHE PIR): change, merge and unmerge, link, identify who was unknown.

Each is one transaction over everything that tells of the patient: studies with their served headers, worklist items,
orders, reports, visits, relations, notes, holds. Files and signed texts stay as they are.
"""
