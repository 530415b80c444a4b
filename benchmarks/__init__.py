"""What Runbench costs, side by side with its peers on one machine: `nox -s bench`."""
