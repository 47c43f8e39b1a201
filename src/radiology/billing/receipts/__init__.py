"""Receipts: what a patient paid, or was given back, in whole taka; and what came in on a day."""
