"""`python -m runbench`."""

from runbench.cli import main

if __name__ == "__main__":
    main()
