"""Printing on film: sheets of images with annotations, sent to a printer (PS3.4 annex H)."""
