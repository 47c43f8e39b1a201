"""Readers: what the network knows of who reads images: what, for whom, when, how much; the on-call rota."""
