"""Application entities: the machines of the DICOM network that we know, and what each may do."""
