"""Tests of devices: which are due how often, what came out, and what becomes of a device that is not tested."""
