"""Rights of the people whose data are held: a copy of everything, correction and restriction, and erasure where the
retention rules allow it."""
