"""HL7 version 2 as pure knowledge: messages, segments, data types, acknowledgements, MLLP. No I/O, no database.

A message comes in through `message.parse` (chapter 2 of the standard, 2.3 to 2.8), its segments become values by
`segments`, and goes out as `message.encode` of `message.segment` lines. Chapters are those of HL7 2.5.1.
"""
