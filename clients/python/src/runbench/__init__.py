"""Record experiments from Python and the command line."""
