"""FHIR R4 (hl7.org/fhir/R4/http.html) below /fhir/R4."""
