"""The worker's side: programs that know Signalbox only by its public API, from this machine or another."""
