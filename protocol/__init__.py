"""The events that an agent program reports, shared by the server and the worker."""
