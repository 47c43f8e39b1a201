"""What is attached to an order: a photograph or a scan of the request form."""
