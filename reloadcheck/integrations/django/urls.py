"""The view of the status page for staff who are logged in, to be included among a site's URLs.

`path("reloadcheck/", include("reloadcheck.integrations.django.urls"))` needs no token: Django says
who looks. Whoever is not staff is sent to the log-in.
"""

from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import user_passes_test
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, path, reverse
from django.utils.functional import lazystr
from django.views.decorators.http import require_safe

from ..._page.access import asked_for
from ..._page.wsgi import answer_to
from .engine import ready_engine
from .status_page import response_of

__all__ = ["app_name", "status", "urlpatterns"]

app_name: Final = "reloadcheck"


class _LogIn:
    """Where people log in: at the admin, where there is one, else where the settings say."""

    def __str__(self) -> str:
        try:
            return reverse("admin:login")
        except NoReverseMatch:
            return str(settings.LOGIN_URL)


def _is_staff(user: object) -> bool:
    return bool(getattr(user, "is_active", False) and getattr(user, "is_staff", False))


@require_safe
@user_passes_test(_is_staff, login_url=lazystr(_LogIn()))
def status(request: HttpRequest) -> HttpResponse:
    """Answer with the page, its JSON or its metrics; a look has a check made, as anywhere."""
    granted = asked_for(request.META.get("QUERY_STRING", ""), request.headers.get("Accept", ""))
    if granted is None:
        return HttpResponse(status=400)
    page = answer_to(ready_engine(), granted)
    return response_of(page.status, page.headers, page.body)


urlpatterns: Final = [path("", status, name="status")]
