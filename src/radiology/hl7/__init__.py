"""HL7 version 2: what other systems send us, and what we tell them of orders (IHE RAD-1, RAD-2, RAD-3, RAD-12, RAD-13).

A message that comes in (`receiving`) is understood by the mappings of its sender (`translating`), done by the features
that it is for (`patients_in`, `orders_in`, `appointments_in`), and kept with its acknowledgement in one transaction.
What cannot be used waits for a person. `outgoing` tells receivers how orders fare. The connections are `doors.hl7`.
"""
