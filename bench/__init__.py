"""Benchmarks of the hot paths, each beside a peer in the same run. `docs/benchmarks.md` says how they are measured."""
