"""POST /api/v1/telemetry, GET /api/v1/telemetry/socket"""

from time import monotonic

from aiohttp import web
from aiohttp.web import Request
from servicekit import policy
from servicekit.application import IDENTITY, LIFECYCLE
from servicekit.bodies import check_json_type, read_body
from servicekit.database import DATABASE
from servicekit.identity import PRINCIPAL
from servicekit.problems import Invalid, Malformed, TooManyRequests, Unauthenticated
from servicekit.routing import Routes

from telemetry_ingest_service.errors import SensorDecommissioned
from telemetry_ingest_service.jobs.limits import LIMITS
from telemetry_ingest_service.jobs.sockets import Socket
from telemetry_ingest_service.jobs.writer import WRITER
from telemetry_ingest_service.models.packed import MEDIA_TYPE, read_packed
from telemetry_ingest_service.models.readings import Accepted, NewReadings, Sent, read_json
from telemetry_ingest_service.operations.ingest import ingest
from telemetry_ingest_service.operations.sensors import Sensors

routes = Routes("telemetry")

BODY_LIMIT = 16 << 20
# With the seconds for which a token is known, less than the 5 in which a revocation has to work.
ADMIT_EVERY_SEC = 0.5

_SENSOR = policy.sensor()


@routes.post(
    "/api/v1/telemetry",
    policy=policy.sensor(),
    raises=(SensorDecommissioned, Malformed, Invalid, TooManyRequests),
    status=200,
    describes=NewReadings,
    limit="ingest",
)
async def send_readings(request: Request) -> Accepted:
    """Send readings of the sensor whose token this is.

    What is accepted is stored when this answers. A reading that cannot be taken is named by its
    index, and the rest is taken. A request that repeats a `batch_id`, or a `producer` and
    `sequence`, changes nothing, so whoever heard no answer can safely send again. The body may be
    compressed (`Content-Encoding: gzip` or `zstd`), and the readings packed: as
    `application/x-runbench-readings` (docs/telemetry.md).
    """
    packed = request.content_type == MEDIA_TYPE
    if not packed:
        check_json_type(request)
    raw = await read_body(request, limit=BODY_LIMIT)
    return await _take(request, read_packed(raw) if packed else read_json(raw))


@routes.get(
    "/api/v1/telemetry/socket", policy=policy.sensor(), raises=(Unauthenticated,), limit="ingest"
)
async def open_socket(request: Request) -> web.WebSocketResponse:
    """Send readings over a WebSocket, for as long as it is open.

    A text frame is what `POST /api/v1/telemetry` takes as JSON, a binary frame its packed form.
    Each frame is answered once it is stored, by its answer and `"ack"`: the frame's sequence, or
    where it has none its number on this connection, from 1. A frame that is refused is answered by
    `"error"` (the problem) and `"sequence"`, and those after it go on.
    """
    admitted = monotonic()

    async def take(raw: bytes, *, packed: bool) -> tuple[Sent, Accepted]:
        nonlocal admitted
        # Asked again and again: a token that was revoked ends the connection.
        if monotonic() - admitted >= ADMIT_EVERY_SEC:
            await _SENSOR.admit(request, request.app[IDENTITY], {})
            admitted = monotonic()
        sent = read_packed(raw) if packed else read_json(raw)
        return sent, await _take(request, sent)

    socket = Socket(take, most_bytes=BODY_LIMIT, ending=request.app[LIFECYCLE].closing)
    return await socket.serve(request)


async def _take(request: Request, sent: Sent) -> Accepted:
    app, sensor_id = request.app, request[PRINCIPAL].user_id
    await app[LIMITS].take(sensor_id, sent.count + sent.refused_count)
    return await ingest(app[WRITER], app[SENSORS], app[DATABASE], sensor_id, sent)


SENSORS = web.AppKey("sensors", Sensors)
