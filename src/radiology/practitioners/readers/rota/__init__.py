"""The on-call rota: for each group of subspecialties somebody is called first, and somebody second, at all times."""
