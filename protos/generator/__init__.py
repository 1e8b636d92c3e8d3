"""Makes all generated files of mmhooks from the contract in `protos/` and the table of hooks."""
