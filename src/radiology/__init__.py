"""Archive, radiology information system, reporting and FHIR in one install."""

__version__ = "0.1.0"
