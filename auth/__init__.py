"""Authentication, permissions, row locking, revocation and the access of subscribers."""
