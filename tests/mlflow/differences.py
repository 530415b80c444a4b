"""Where Runbench's answers are meant to differ from MLflow's, with the reason of each.

docs/mlflow.md tells our users the same.
"""

from typing import Any

REASONS = {
    "workspace": "Experiments stand in projects; MLflow names a workspace, which we have none of.",
    "sqlstate": "MLflow classes its errors for Databricks; its client reads code and message.",
    "error_class": "As sqlstate.",
    "message": "We say what went wrong in words of our own.",
}


def put_aside(answer: Any) -> Any:
    """An answer without the fields that are known to differ."""
    match answer:
        case {"error_code": code}:
            return {"error_code": code}
        case dict():
            return {name: put_aside(value) for name, value in answer.items() if name != "workspace"}
        case list():
            return [put_aside(value) for value in answer]
        case _:
            return answer
