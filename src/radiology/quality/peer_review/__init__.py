"""Peer review (RADPEER): some final reports are read again by somebody who does not know who read them first."""
