"""Facilities, devices, operators and places as spreadsheets: taken over with a report of bad rows, and given out."""
