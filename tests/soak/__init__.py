"""The soak: very many calls over net/rpc from a real host in Go, after which the plugin must not have grown.

`python -m tests.soak 1000000` runs it; CI runs a shorter one.
"""
