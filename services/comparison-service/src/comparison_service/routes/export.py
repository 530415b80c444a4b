"""POST /api/v1/comparisons/export"""

import re

from aiohttp.web import Request, Response
from servicekit import policy
from servicekit.database import DATABASE
from servicekit.problems import NotFound, Unavailable
from servicekit.routing import Routes

from comparison_service import errors
from comparison_service.models.export import ComparisonExport
from comparison_service.operations.export import export
from comparison_service.routes.runs import reading_of

routes = Routes("comparisons")

_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "html": "text/html; charset=utf-8",
}


@routes.post(
    "/api/v1/comparisons/export",
    policy=policy.signed_in(),
    raises=(NotFound, Unavailable, errors.TooMuchToCompare),
    status=200,
    sends=tuple(_TYPES.values()),
    limit="costly",
)
async def export_comparison(request: Request, body: ComparisonExport) -> Response:
    """Export a comparison as CSV, JSON, or a report in one HTML file without scripts."""
    content = await export(request.app[DATABASE], reading_of(request), body)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", body.title).strip("-.") or "comparison"
    return Response(
        body=content,
        headers={
            "Content-Type": _TYPES[body.format],
            "Content-Disposition": f'attachment; filename="{name[:80]}.{body.format}"',
            "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
            "X-Content-Type-Options": "nosniff",
        },
    )
