"""Network: settings and counts."""

from pydantic import Field

from patternmind.domain.cases import Consent
from patternmind.domain.permissions import Action
from patternmind.services.counts import get_counts
from patternmind.web.api.schemas import ResponseModel, ThresholdsResponse
from patternmind.web.dependencies import ContextDep
from patternmind.web.routing import ApiRouter

router = ApiRouter("cases")


class NetworkResponse(ResponseModel):
    id: str
    name: str
    purpose: str
    rule: ThresholdsResponse
    default_consent: Consent = Field(description="Consent level of rows that give none.")
    n_cases: int
    n_recaps: int
    last_run_id: str | None


@router.get("/network", "read_network", Action.SEARCH)
def read_network(ctx: ContextDep) -> NetworkResponse:
    """Read the settings of the network and its number of cases."""
    store = ctx.store
    last, counts = store.runs.latest(), get_counts(store)
    return NetworkResponse.of(
        store.network.get(), n_cases=counts.n_cases, n_recaps=counts.n_recaps, last_run_id=last.id if last else None
    )
