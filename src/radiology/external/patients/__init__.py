"""The patient registry of the hospital or the country, asked over FHIR; this service keeps a copy of what it said."""
