"""Golden fixtures of reference implementations against this code: `python -m tests.parity DIR`."""
