"""What the tests across services share: a world of people, and every operation there is."""
