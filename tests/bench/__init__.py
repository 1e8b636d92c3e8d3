"""The benchmark: mmhooks beside bare gRPC programs that do the same, as ratios of one run.

`python -m tests.bench` measures and prints; docs/performance.md explains the figures.
"""
