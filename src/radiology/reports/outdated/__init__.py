"""Signed reports whose images changed afterwards: they stay what they are, and somebody must look again."""
