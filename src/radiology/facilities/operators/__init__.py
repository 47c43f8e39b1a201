"""Operators: who may work the devices of which modalities at a facility, with a licence."""
