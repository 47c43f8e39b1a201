"""Restricted persons (class S7): staff, VIPs, patients who asked for it, and who must be protected."""
