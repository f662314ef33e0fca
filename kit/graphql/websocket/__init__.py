"""GraphQL over WebSockets: graphql-transport-ws."""
