"""The network: threat-aware embeddings, router, fast branch, mixture-of-experts deep branch."""
