"""The registry of devices: what they are, in which state, with which licence, and what nothing new is booked on."""
