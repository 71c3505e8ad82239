"""Seeded generators of attacks, one kind a module."""
