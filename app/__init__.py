"""The shell and the use cases."""
