"""The benchmark: mmhooks beside programs that do the same without it, as ratios of one run.

Over gRPC these are bare programs in Python, over net/rpc a plugin in Go. `python -m tests.bench` measures and prints;
docs/performance.md explains the figures.
"""
