"""gob, the encoding of Go's `encoding/gob`: what arrives becomes models, and models become what Go can read.

A stream is a row of messages, each either a definition of a type or a value; values name their type by a number.

    types    what definitions say
    inbox    bytes in, whole values out
    schema   what we expect of a value
    reading  a value's bytes into Python's values, by its type and our expectation
    values   values without structs into bytes, and what is said of those that do not fit
    writing  structs and whole messages into bytes
"""
