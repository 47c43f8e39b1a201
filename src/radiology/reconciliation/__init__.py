"""Putting right what came wrong: what waits for a person, how it compares, and repairs that can be undone.

IHE Patient Information Reconciliation (PIR) and Imaging Object Change Management (IOCM). Files are never changed: a
repair changes rows, and every outlet serves what the rows say.
"""
