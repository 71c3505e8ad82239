"""Writes the INT8 checkpoint that the runtime loads."""
