"""Adapters for LLM clients come in a later release.

`tinyguardrail_sdk.calls` is what they stand on, and any client can be guarded with it: say in three
functions where its text is, and `guarded_call`, `guarded_acall`, `guarded_stream` and
`guarded_astream` do the rest.
"""
