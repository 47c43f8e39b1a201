"""Every change of rooms, bookings, queues and the waiting list."""
