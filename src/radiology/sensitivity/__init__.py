"""What makes a study sensitive: rules, marks by hand, restrictions of persons, and the labels that come of them.

A study has the classes S1 to S7 that any of its codings, modalities, body parts, flags, reasons or words gives it. They
decide its confidentiality (HL7 v3-Confidentiality) and its FHIR meta.security. Who may see it is decided in `access`.
"""
