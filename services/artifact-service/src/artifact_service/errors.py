"""Every error of this service that a caller can meet, beside those of the kit."""

from servicekit.problems import Conflict, Invalid, Problem, Unavailable


class RunArchived(Conflict):
    """The run is archived and takes no changes."""

    code = "run-archived"


class PathTaken(Conflict):
    """A file and a folder cannot have the same path."""

    code = "path-taken"


class WrongPath(Invalid):
    """The path of an artifact is not one that we store."""

    code = "wrong-path"


class WrongContent(Invalid):
    """The content is not what the request says of it; nothing was stored."""

    code = "wrong-content"


class OtherContent(Conflict):
    """The file has another content by now."""

    code = "other-content"


class NoPresignedLinks(Conflict):
    """The store of this installation makes no links; download the file here."""

    code = "no-presigned-links"


class PartsMissing(Conflict):
    """Parts of the upload are missing."""

    code = "parts-missing"


class UploadClosed(Conflict):
    """The upload takes no more parts: it is being completed, or it is complete."""

    code = "upload-closed"


class UploadJoining(Unavailable):
    """The parts are being put together; ask again shortly."""

    code = "upload-joining"


class WrongPart(Invalid):
    """The upload has no such part, or the part has another size or digest; it was not kept."""

    code = "wrong-part"


class ArchiveTooLarge(Invalid):
    """The folder has more files than go into one archive."""

    code = "archive-too-large"


class RangeNotSatisfiable(Problem):
    """The file has no such range, or more than one was asked for."""

    code, status = "range-not-satisfiable", 416


class StoreFull(Problem):
    """The object store has no space left; nothing was stored."""

    code, status = "store-full", 507


class StoreUnavailable(Unavailable):
    """The object store does not answer; nothing was changed."""

    code = "store-unavailable"
