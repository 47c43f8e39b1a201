"""How well the work is done: indicators, dose, rejects, tests of devices, peer review."""
