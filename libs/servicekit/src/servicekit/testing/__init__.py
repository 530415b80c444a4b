"""What the tests of every service share: an ephemeral PostgreSQL, people with roles, a client."""
