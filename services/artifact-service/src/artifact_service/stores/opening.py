"""The store that an address names."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from artifact_service.stores.bucket import BucketStore
from artifact_service.stores.contract import Store
from artifact_service.stores.folder import FolderStore

BUCKETS = frozenset({"s3", "s3a", "gs", "az", "abfs", "abfss"})


def check_address(address: str) -> str:
    """The address, if a store can have it.

    Raises:
        ValueError: it is neither a folder nor a bucket of a kind that we know.
    """
    parts = urlsplit(address)
    if parts.scheme in BUCKETS and not parts.netloc:
        msg = f"{parts.scheme}:// needs the name of a bucket"
        raise ValueError(msg)
    if parts.scheme not in BUCKETS | {"", "file"}:
        kinds = ", ".join(sorted(BUCKETS))
        msg = f"must be a folder or begin with one of {kinds}, followed by ://"
        raise ValueError(msg)
    return address


def open_store(address: str) -> Store:
    """The store at the address; nothing is asked of it yet."""
    parts = urlsplit(address)
    if parts.scheme in BUCKETS:
        return BucketStore(address)
    return FolderStore(Path(unquote(parts.path) if parts.scheme == "file" else address))
