"""When and where a procedure step is done: rooms and their hours, offers, bookings, arrival, reminders (IHE RAD-48).

A booking is of an item of the modality worklist, which it gives its start and its station. `hours` says when a room is
open, `fitting` where one examination fits, `planning` which offers are best; all three are pure.
"""
