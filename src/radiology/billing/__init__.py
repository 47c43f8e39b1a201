"""What an examination costs, who pays, what was charged, and what a reader earns."""
