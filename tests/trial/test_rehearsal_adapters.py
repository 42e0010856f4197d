"""Under Django's own adapter an edit is rehearsed by the site's views, behind WSGI and ASGI."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse

from reloadcheck import Outcome
from tests.integrations_django.site import get, site, write
from tests.support.rig import until

from .test_shadow_adapters import asked


def shows(request: HttpRequest) -> HttpResponse:
    """A view that breaks with the bad version, whose limit is no number."""
    limit = request.GET.get("limit", "none")
    if cast("Any", request).config.number == 2 and limit == "1":
        raise KeyError
    return HttpResponse(limit)


@pytest.mark.parametrize("door", ["wsgi", "asgi"])
def test_django(tmp_path: Path, door: str) -> None:
    """A view that raises rejects the edit before any user gets it; a good edit goes live."""
    file, contract = tmp_path / "config.yaml", tmp_path / "contract.yaml"
    contract.write_text("reloadcheck: 1\nrehearse: ['GET /shows', 'GET /shows?limit=1']\n")
    write(file, 1)
    with site(file, shows, contract=contract) as live:
        if door == "wsgi":
            assert get("/shows") == "200 none"
        else:
            asyncio.run(asked(get_asgi_application(), "/shows"))
        write(file, 2)
        until(lambda: live.check() is Outcome.REJECTED)
        status = live.status()
        assert (status.code, status.version) == ("rehearsal", 1)
        assert "rehearsal GET /shows?limit=1: answered 500" in str(status.error)
        write(file, 3)
        until(lambda: live.check() is Outcome.RELOADED)
        assert live.snapshot.version == 2
