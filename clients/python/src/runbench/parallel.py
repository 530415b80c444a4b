"""Doing several things at once, where each of them mostly waits for the network."""

import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")


def each(
    items: Iterable[Item], work: Callable[[Item], None], *, threads: int, name: str = "runbench"
) -> None:
    """Work on each item in so many threads, in the order of the items. What the first one raises
    is raised here, once the others have ended theirs; the items behind it are left.
    """
    source = iter(items)
    taking = threading.Lock()
    failed: list[BaseException] = []

    def go_on() -> None:
        while not failed:
            try:
                with taking:
                    item = next(source)
                work(item)
            except StopIteration:
                return
            except BaseException as error:
                failed.append(error)

    running = [threading.Thread(target=go_on, name=name, daemon=True) for _ in range(threads)]
    for thread in running:
        thread.start()
    try:
        for thread in running:
            thread.join()
    except BaseException as error:
        failed.append(error)
        raise
    if failed:
        raise failed[0]
