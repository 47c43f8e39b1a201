"""The check of an order before it is placed, and again whenever what it rests on changes.

What blocks is refused where somebody can answer (REST), and put on hold where nobody can (HL7, FHIR): an order is
never lost. What is known by then releases it.
"""
