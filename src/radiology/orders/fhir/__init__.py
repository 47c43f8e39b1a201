"""Orders as FHIR R4 ServiceRequest. Pure: the FHIR door uses it.

What R4 has no element for stands where R4 lets it: the modality as an `orderDetail` of DICOM's codes; the numbers of
each procedure, and each of several procedures, in one extension; facts of safety as contained resources.
"""
