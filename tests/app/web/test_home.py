"""The first page."""

from __future__ import annotations

from fastapi.testclient import TestClient

from roomread.app.web.site import points
from roomread.store.privacy import NOTICE


def test_the_notice_is_told_whole_and_point_by_point(client: TestClient) -> None:
    told = points(NOTICE)
    assert len(told) == 1 + NOTICE.count("\n- ")
    assert " ".join(told).split() == [word for word in NOTICE.split() if word != "-"]
    for path in ("/", "/live"):
        page = client.get(path).text
        for point in told[1:]:
            assert f"<li>{point.replace(chr(39), '&#39;')}</li>" in page
