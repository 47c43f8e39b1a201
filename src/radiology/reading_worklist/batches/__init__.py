"""Batch reading: routine studies that are alike, read one after the other by one reader, each signed by itself."""
