"""DICOM over TCP: the upper layer (PS3.8) and message exchange (PS3.7), as acceptor and as requestor."""
