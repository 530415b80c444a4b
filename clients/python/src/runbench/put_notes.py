"""Which upload in parts a file was sent in, so that `runbench artifacts put` goes on with it."""

import uuid

from runbench import settings
from runbench.outbox import Outgoing

_SPACE = uuid.UUID("d1b6c7f5-7b0b-4f52-8f8e-0f6f0d8a2a7e")


class Note:
    """The note of one file to one run; another content of it has another note."""

    def __init__(self, url: str, run_id: str, file: Outgoing) -> None:
        known = (url, run_id, file.path, file.place, file.size, file.stamp)
        what = "\n".join(str(part) for part in known)
        self._place = settings.home() / "uploads" / str(uuid.uuid5(_SPACE, what))
        file.upload_id = self._known()
        self._file = file

    def _known(self) -> str | None:
        try:
            return str(uuid.UUID(self._place.read_text().strip()))
        except (OSError, ValueError):
            return None

    def keep(self, upload_id: str | None) -> None:
        """Remember the upload; None: it is over."""
        self._file.upload_id = upload_id
        try:
            if upload_id is None:
                self._place.unlink(missing_ok=True)
                return
            self._place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._place.write_text(upload_id)
        except OSError:
            pass
