"""The worker: a client of the public API that runs agent programs, on this machine or another."""
