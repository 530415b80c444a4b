"""How many requests a caller may make: one budget each for whom the credentials name.

A person's is one over all their sessions; a token, a sensor, and an address without valid
credentials have their own. Routes say what they cost: searches, comparisons and exports have a
smaller budget beside the ordinary one, and what is recorded has a larger one, so that looking
takes nothing from recording. Opening a stream is a request; what flows in it is none.
The answer says how it stands, in the fields of draft-ietf-httpapi-ratelimit-headers-10.
"""

from collections.abc import AsyncIterator, Callable
from math import ceil
from typing import Literal

from aiohttp import web
from prometheus_client import Counter

from servicekit.addresses import TRUSTED_PROXIES, address_of, around
from servicekit.budgets import BUDGETS, PART_ALONE, Budget, Budgets, Standing
from servicekit.identity import Identity, Principal
from servicekit.problems import Problem, TooManyRequests, Unavailable
from servicekit.settings import COSTLY_PER_MIN, INGEST_PER_MIN, PER_MIN, ServiceSettings

type Limit = Literal["ordinary", "costly", "ingest", "inside", "none"]
"""What a route costs: `costly` is for searches, comparisons and exports, `ingest` for what is
recorded batch by batch. `inside` is for what services ask each other: it is ordinary for whoever
comes through the gateway, and costs nothing without; `none` costs nothing."""

THROTTLED = Counter("requests_throttled", "Requests beyond what their caller may make.", ["limit"])

# Let in at once: a part of the minute's, or this many where the minute has them.
PART_AT_ONCE = 6
AT_ONCE = 60


class RequestLimits:
    """The limits of one service, as its settings have them."""

    def __init__(self, settings: ServiceSettings, budgets: Budgets) -> None:
        chosen = {
            "ordinary": (settings.rate_limit_per_min, PER_MIN),
            "costly": (settings.rate_limit_costly_per_min, COSTLY_PER_MIN),
            "ingest": (settings.rate_limit_ingest_per_min, INGEST_PER_MIN),
        }
        unset = 0 if settings.is_development else 1
        self._trusted = settings.trusted_proxies
        self._budgets = budgets
        self._by_name = {
            name: _budget(per_min)
            for name, (given, default) in chosen.items()
            if (per_min := default * unset if given is None else given)
        }

    async def count(self, request: web.Request, limit: Limit, principal: Principal | None) -> None:
        """Count the request against its caller.

        Raises:
            TooManyRequests: there were too many; this one was not counted.
        """
        if limit == "inside":
            # The gateway says this of everybody that it lets through.
            limit = "ordinary" if "X-Forwarded-For" in request.headers else "none"
        if limit == "ingest" and principal is None:
            limit = "ordinary"  # nobody guesses tokens faster here than elsewhere
        budget = self._by_name.get(limit)
        if budget is None:
            return
        key = f"runbench:requests:{limit}:{self._caller(request, principal)}"
        standing = await self._budgets.take(key, budget)
        request[STANDING] = limit, budget, standing
        if standing.wait > 0:
            THROTTLED.labels(limit).inc()
            msg = f"One caller may make {round(budget.rate * 60)} such requests a minute."
            raise TooManyRequests(msg, retry_after=standing.wait)

    def _caller(self, request: web.Request, principal: Principal | None) -> str:
        if principal:
            return f"{principal.kind}:{principal.token_id or principal.user_id}"
        return f"address:{around(address_of(request, self._trusted), bits4=32, bits6=64)}"


def request_limits(
    settings: ServiceSettings,
) -> Callable[[web.Application], AsyncIterator[None]]:
    """Count while the service runs; whatever else it counts, it counts by `BUDGETS` too."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        app[TRUSTED_PROXIES] = settings.trusted_proxies
        app[BUDGETS] = budgets = Budgets(settings.telemetry_broker_url)
        app[REQUEST_LIMITS] = RequestLimits(settings, budgets)
        yield
        await budgets.close()

    return context


async def count(request: web.Request, limit: Limit, principal: Principal | None = None) -> None:
    """Count the request, where the service has limits.

    Raises:
        TooManyRequests: there were too many.
    """
    if limits := request.app.get(REQUEST_LIMITS):
        await limits.count(request, limit, principal)


async def identify_counted(
    request: web.Request, identity: Identity, limit: Limit
) -> Principal | None:
    """Who asks, once that is counted; whose credentials are not valid counts by their address.

    Raises:
        TooManyRequests: there were too many.
        Unauthenticated, Unavailable: see `Identity.identify`.
    """
    try:
        principal = await identity.identify(request)
    except Unavailable:
        raise  # who it is cannot be told now: no reason to count them with their neighbours
    except Problem:
        await count(request, limit)
        raise
    await count(request, limit, principal)
    return principal


def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Say how the caller stands, on success and refusal."""
    found = request.get(STANDING)
    if found is None:
        return
    name, budget, standing = found
    left = min(standing.left, budget.size)
    wait = standing.wait or (budget.size - left) / budget.rate
    response.headers["RateLimit-Policy"] = (
        f'"{name}";q={budget.size};w={ceil(budget.size / budget.rate)}'
    )
    response.headers["RateLimit"] = f'"{name}";r={max(0, left)};t={ceil(wait)}'


def _budget(per_min: int) -> Budget:
    size = max(per_min // PART_AT_ONCE, min(per_min, AT_ONCE))
    return Budget(rate=per_min / 60, size=size, size_alone=max(1, size // PART_ALONE))


REQUEST_LIMITS = web.AppKey("request_limits", RequestLimits)
STANDING: web.RequestKey[tuple[str, Budget, Standing]] = web.RequestKey("standing", tuple)
