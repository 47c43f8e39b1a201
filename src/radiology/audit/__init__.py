"""Who saw and did what: one record for one act (IHE ATNA, PS3.15 A.5, FHIR R4 AuditEvent).

What changes something is recorded in its own transaction (`actions.record`), what is only read by a durable file beside
it (`trail`). A sealer chains the records by their hashes (`sealing`), `verifying` finds what was tampered with, and
`forwarding` sends them to audit repositories. What a record means to a standard stands in one table (`model.MEANINGS`).
"""
