"""Who may do what: authentication, permissions, row locking, revocation and the rights of subscribers."""
