"""DICOM as pure knowledge: UIDs, files, headers, checks, matching, names. No I/O, no database, no settings.

A stored object comes in through `part10.read_file_meta`, `header.read_header` and `checks.check_storable`; a query
comes in through `attributes.tag_of` and `matching.parse_key`.
"""
