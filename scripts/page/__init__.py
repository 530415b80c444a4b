"""The status page of the workspace, served by `up` on loopback."""
