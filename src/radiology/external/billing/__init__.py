"""The billing service of the hospital: it is told of every charge, once, however often it must be told."""
