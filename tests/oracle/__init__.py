"""An independent answer to every number of `shared/definitions.md` sections 1 to 3, obvious and slow.

Plain Python on canonical rows: loops, dicts, integers of microseconds and fractions. It shares no code with the
product, so that a mistake has to be made twice before a test passes. The rules it follows where the definitions
leave a choice open stand as numbered sentences in the docstrings of `engine`, `activation`, `suppression` and
`identity`.
"""
