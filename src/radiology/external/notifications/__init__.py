"""Messages to people. Each account has an inbox here; texts name no procedure and no result."""
