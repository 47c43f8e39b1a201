"""A country of facilities, readers and patients, on which managers compare policies."""
