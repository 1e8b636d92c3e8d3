"""The programs that are measured: plugins written with mmhooks, and the same without it."""
