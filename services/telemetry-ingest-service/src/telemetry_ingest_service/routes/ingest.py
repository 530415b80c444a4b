"""POST /api/v1/telemetry"""

from aiohttp import web
from aiohttp.web import Request
from servicekit import policy
from servicekit.bodies import check_json_type, read_body
from servicekit.database import DATABASE
from servicekit.identity import PRINCIPAL
from servicekit.problems import Invalid
from servicekit.routing import Routes

from telemetry_ingest_service.errors import SensorDecommissioned
from telemetry_ingest_service.jobs.writer import WRITER
from telemetry_ingest_service.models.readings import Accepted, NewReadings, read_json
from telemetry_ingest_service.operations.ingest import ingest
from telemetry_ingest_service.operations.sensors import Sensors

routes = Routes("telemetry")

BODY_LIMIT = 16 << 20


@routes.post(
    "/api/v1/telemetry",
    policy=policy.sensor(),
    raises=(SensorDecommissioned, Invalid),
    status=200,
    describes=NewReadings,
)
async def send_readings(request: Request) -> Accepted:
    """Send readings of the sensor whose token this is.

    What is accepted is stored when this answers. A reading that cannot be taken is named by its
    index, and the rest is taken. A request that repeats a `batch_id`, or a `producer` and
    `sequence`, changes nothing, so whoever heard no answer can safely send again.
    """
    check_json_type(request)
    raw = await read_body(request, limit=BODY_LIMIT)
    app = request.app
    return await ingest(
        app[WRITER], app[SENSORS], app[DATABASE], request[PRINCIPAL].user_id, read_json(raw)
    )


SENSORS = web.AppKey("sensors", Sensors)
