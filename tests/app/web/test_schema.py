"""The API keeps what its own description promises, whatever it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.soak.harness import SOAK

from roomread.app.studio import Studio
from roomread.app.web import live
from roomread.app.web.server import WebSettings, make_app
from roomread.errors import SourceError
from roomread.types import Lesson, Part

EXAMPLES = 200 if SOAK else 6  # requests of each kind
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
HEADERS = {"host": "127.0.0.1:8642"}


@pytest.fixture
def api(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The description of the API, and the application that answers."""

    def nothing(*_: object) -> None:
        raise SourceError("There is no camera.")

    monkeypatch.setattr(live, "open_source", nothing)
    yield schemathesis.openapi.from_asgi(
        "/api/openapi.json", make_app(studio, WebSettings(), 8642, None), headers=HEADERS
    )
    studio.close()


def cases(operation: Any) -> Any:
    """Return requests as they are described, and, where something is described, others."""
    good = operation.as_strategy()
    if not (operation.path_parameters or operation.query or operation.body):
        return good
    return st.one_of(good, operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))


def check(operation: Any, known: dict[str, int]) -> None:
    """Ask for one thing in many ways, half of them for what is there."""

    @seed(0)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=cases(operation), there=st.booleans())
    def holds(case: Any, there: bool) -> None:
        if there:
            case.path_parameters |= {name: known[name] for name in case.path_parameters if name in known}
        case.call_and_validate(headers=HEADERS, checks=CHECKS)

    holds()


@pytest.mark.soak
def test_every_answer_is_as_the_description_says(api: Any, studio: Studio, taught: Callable[..., Lesson]) -> None:
    for result in api.get_all_operations():
        lesson = taught()
        (part,) = studio.store.add_parts(lesson, [Part("Talk", 1.0, 9.0, "speech")])
        check(result.ok(), {"number": lesson.number, "lesson": lesson.number, "part": part})
