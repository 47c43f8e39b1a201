"""Every change of an order: `..._in` within a transaction, as HL7 and FHIR use it, and the same for REST."""
