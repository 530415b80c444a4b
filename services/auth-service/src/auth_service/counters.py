"""What auth-service counts of itself beside its requests, for Prometheus."""

from prometheus_client import Counter

LOGINS = Counter("auth_logins", "Attempts to sign in, by how they ended.", ["result"])
THROTTLED = Counter("auth_throttled", "Attempts that had to wait.")
REFRESH_REUSED = Counter("auth_refresh_reused", "Sessions ended because a token came back.")
