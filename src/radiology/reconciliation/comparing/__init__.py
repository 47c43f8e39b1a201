"""Side by side: what came, and the orders, items and studies that it may belong to, ranked by identity."""
