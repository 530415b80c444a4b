"""The command line: `runbench`."""


def main() -> None:
    """Run the command line; ends the process with an exit code (see `runbench --help`)."""
    from runbench.cli.app import run_app  # noqa: PLC0415 - importing this package stays free

    run_app()
