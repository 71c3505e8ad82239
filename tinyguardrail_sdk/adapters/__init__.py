"""Adapters for LLM clients come in a later release.

Until then `Guard.check` is the seam: call it with the text that goes to the model and with the
text that comes back (`source="output"`), or `Guard.check_messages` with a chat request's messages.
"""
