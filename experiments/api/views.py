"""The report of an experiment as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.api.errors import ApiError
from experiments.analysis.report import report
from experiments.api import documentation as doc
from experiments.api.documentation import LARGEST_PHASE
from experiments.api.serializers import ReportSerializer
from experiments.exceptions import UnknownExperiment


class ReportView(APIView):
    """`GET /api/v1/experiments/{experiment_id}/report`."""

    required_scopes: ClassVar = {"GET": "read"}

    @extend_schema(
        operation_id="get_experiment_report",
        tags=[doc.TAG],
        summary="Report of an experiment",
        description="Split first; effects are left out while it is broken. Intervals `*_always` hold at every look.",
        parameters=[doc.EXPERIMENT_ID, doc.PHASE],
        responses={200: ReportSerializer, 409: doc.REFUSED},
        examples=[doc.REPORT],
    )
    def get(self, request: Request, experiment_id: str) -> Response:
        """Answer with `experiments.analysis.report.report`."""
        try:
            found = report(experiment_id, _phase(request.query_params.get("phase")))
        except UnknownExperiment as error:
            raise ApiError(error.code, str(error), status=404, field="experiment_id") from error
        return Response(asdict(found))


def _phase(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 1 <= int(text) <= LARGEST_PHASE):
        raise ApiError("phase_invalid", f"phase must be a whole number of 1 or more, not {text!r}.", field="phase")
    return int(text)
