"""Bookings on devices that may not be used then: listed with why, and planned anew."""
