"""Radiology reports: draft, present, approve; every presented version in a hash chain.

A report here is what FHIR R4 calls a DiagnosticReport. It belongs to one study, and what was signed is never changed.
"""
