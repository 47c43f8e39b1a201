"""What patients are told of their bookings by short message, in Bangla or English."""
