"""Another service that may run several times: which of its addresses to ask."""

from collections.abc import Iterator


class Peers:
    """The addresses of one service, the one that answered last in front.

    `addresses` are separated by blanks, as the gateway has them.
    """

    def __init__(self, addresses: str) -> None:
        self._addresses = [address.rstrip("/") for address in addresses.split()]

    def __len__(self) -> int:
        return len(self._addresses)

    def each(self) -> Iterator[str]:
        """The addresses in turn; the one after which the caller asks for no more stays in front."""
        for address in tuple(self._addresses):
            if address != self._addresses[0]:
                self._addresses.remove(address)
                self._addresses.insert(0, address)
            yield address
