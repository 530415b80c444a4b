"""What the nox sessions and the Procfile call; each module has one job."""
