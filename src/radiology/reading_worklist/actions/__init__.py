"""Every change of the reading worklist: what studies and reports make of it, and what readers do with it."""
