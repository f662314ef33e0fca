"""GraphQL over HTTP: requests, responses, streams and the ASGI endpoint."""
