"""Exposure and deviation indices of digital radiography (IEC 62494-1): per image, and per machine and projection."""
