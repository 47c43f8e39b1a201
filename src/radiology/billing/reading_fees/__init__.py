"""What readers of the network earn: one fee for each first final report, in a ledger that is never changed."""
