"""POST /api/v1/comparisons/evaluate"""

from aiohttp.web import Request
from servicekit import policy
from servicekit.database import DATABASE
from servicekit.problems import NotFound, Unavailable
from servicekit.routing import Routes

from comparison_service import errors
from comparison_service.models.evaluation import Evaluation, EvaluationResult
from comparison_service.operations import evaluation as operations
from comparison_service.routes.runs import reading_of

routes = Routes("comparisons")


@routes.post(
    "/api/v1/comparisons/evaluate",
    policy=policy.signed_in(),
    raises=(NotFound, Unavailable, errors.TooMuchToCompare),
    status=200,
    limit="costly",
)
async def evaluate_rules(request: Request, body: Evaluation) -> EvaluationResult:
    """Hold runs against rules such as `max(loss) <= baseline * 1.02` or `p95(imu.ax) < 3`.

    What cannot be read fails its rule, and the result says why.
    """
    return await operations.evaluate(request.app[DATABASE], reading_of(request), body)
