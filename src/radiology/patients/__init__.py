"""The registry of patients: numbers by issuer, names in Bangla and Latin, visits, patients nobody knows yet.

A patient here is what FHIR calls Patient and DICOM the Patient IE (PS3.3 C.7.1.1); a visit is a FHIR Encounter. Whoever
has to find or make a patient calls `actions.register.find_or_register`. Two patients are never made one by themselves:
a person merges them, and what was merged is found by its old numbers and leads to the survivor.
"""
