"""Who may look: whoever can read the workspace's folder, where links that sign in are too."""

import secrets

from scripts.environment import Workspace, publish_once


def token(workspace: Workspace) -> str:
    """The secret that opens the page, made once and kept (0600) so that a tab survives a start."""
    path = workspace.home / "page-token"
    if not path.exists():
        publish_once(path, secrets.token_urlsafe(24))
    return path.read_text().strip()


def link(workspace: Workspace, path: str = "/") -> str:
    """The address that opens the page in a browser."""
    port = workspace.ports["status-page"]
    return f"http://localhost:{port}{path}?token={token(workspace)}"
