"""POST /api/v1/telemetry/imports, POST /api/v1/sensors/{sensor_id}/imports"""

import tempfile
from pathlib import Path
from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.bodies import save_body
from servicekit.database import DATABASE
from servicekit.identity import PRINCIPAL
from servicekit.problems import Invalid, Malformed, RequestTimeout, TooLarge, Unavailable
from servicekit.routing import Routes

from telemetry_ingest_service.errors import SensorDecommissioned
from telemetry_ingest_service.jobs.writer import WRITER
from telemetry_ingest_service.models.imports import MAX_BYTES, Imported, ImportQuery
from telemetry_ingest_service.operations.imports import import_file
from telemetry_ingest_service.queries.sensors import select_sensor_projects
from telemetry_ingest_service.routes.ingest import SENSORS

routes = Routes("telemetry")

OF_SENSOR = policy.rows("sensor_id", select_sensor_projects)
RAISES = (SensorDecommissioned, Malformed, Invalid, TooLarge, RequestTimeout, Unavailable)
TAKES = "text/csv"


@routes.post(
    "/api/v1/telemetry/imports",
    policy=policy.sensor(),
    raises=RAISES,
    status=200,
    takes=TAKES,
    limit="ingest",
)
async def import_own_readings(request: Request, query: ImportQuery) -> Imported:
    """Store a file of readings of the sensor whose token this is: CSV or Parquet, 256 MiB at most.

    A time and a column for each signal, or `time`, `signal` and `raw`, one reading a row, as in our
    own exports. Empty cells and NaN are gaps. Readings that cannot be taken are named by their row,
    and the rest is taken. The same file sent again changes nothing.
    """
    return await _import(request, request[PRINCIPAL].user_id, query)


@routes.post(
    "/api/v1/sensors/{sensor_id}/imports",
    policy=policy.editor(OF_SENSOR),
    raises=RAISES,
    status=200,
    takes=TAKES,
    limit="ingest",
)
async def import_readings(request: Request, sensor_id: UUID, query: ImportQuery) -> Imported:
    """Store a file of readings of a sensor, for example from the memory card of a logger.

    CSV or Parquet, see `POST /api/v1/telemetry/imports`.
    """
    return await _import(request, sensor_id, query)


async def _import(request: Request, sensor_id: UUID, query: ImportQuery) -> Imported:
    app = request.app
    with tempfile.TemporaryDirectory(prefix="runbench-import-") as folder:

        async def save() -> tuple[Path, str]:
            path = Path(folder) / "file"
            return path, await save_body(request, path, limit=MAX_BYTES)

        return await import_file(app[WRITER], app[SENSORS], app[DATABASE], sensor_id, query, save)
