"""The door of HL7 version 2: MLLP connections, plain or over TLS (HL7 2.5.1 appendix C, IHE ITI TF-2 C.2.1)."""
