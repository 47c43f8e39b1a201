"""Orders: what is asked for a patient, from whom, and under which numbers (FHIR R4 ServiceRequest; IHE RAD-2, RAD-3).

An order has one accession number and one or more requested procedures. Each of these is a study that is registered
before its images come (PS3.3 C.4.11), and an item in the modality worklist. What an order has come to is derived from
those when it is read.
"""
