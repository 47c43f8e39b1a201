"""Every change of scheduled and performed procedure steps."""
