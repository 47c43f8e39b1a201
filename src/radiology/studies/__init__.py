"""Imaging studies: store, find, retrieve, complete.

A study here is what DICOM calls a Study (PS3.3 7.3.1.2) and FHIR an ImagingStudy. Its way: an object is received
(`receive`), its bytes are made durable, it is indexed in batches (`index`), found (`search`), given out (`retrieve`).
"""
