"""Whose tests are run, with what, and what may differ and why. Data alone."""

from dataclasses import dataclass, field

__all__ = ["PROJECTS", "Project"]

PYTEST = (
    *("-m", "pytest", "-q", "--continue-on-collection-errors"),
    *("-p", "reloadcheck_inside.results", "-p", "no:cacheprovider"),
)
_RUNNER = ("--parallel=1", "--noinput")


@dataclass(frozen=True, slots=True)
class Project:
    """One framework: how its tests run, and the tests that may fail behind a door.

    `doors` names the function that puts the doors in place; `needs` are requirements; `tests` are
    paths for pytest, or labels for Django's runner, `short` some of them. `expected` maps a test's
    id to the reason why its failing is no change that an application sees. `version` is there for
    what is not installed beside us, and `command` for what pytest does not run: the arguments of
    Python, in the directory `within` the sources.
    """

    name: str
    doors: str
    needs: str
    tests: tuple[str, ...] = ("tests",)
    short: tuple[str, ...] = ("tests",)
    expected: dict[str, str] = field(default_factory=dict[str, str])
    version: str | None = None
    command: tuple[str, ...] = PYTEST
    within: str = "."


_EXCEPTIONS = "handlers.test_exception.ExceptionHandlerTests"
_OWN_RESPONSE = (
    "takes what the WSGI application returns for Django's own response object, instead of a body "
    "to be iterated; a door gives a body that ends the lease when it is closed"
)

PROJECTS = {
    project.name: project
    for project in (
        Project(
            "starlette",
            "starlette",
            "starlette[full] blockbuster httpx2[zstd] opentelemetry-sdk pytest pytest-codspeed "
            "trio",
        ),
        Project(
            "werkzeug",
            "werkzeug",
            "cffi cryptography ephemeral-port-reserve pytest pytest-timeout watchdog",
            ("tests", "-m", "not dev_server"),  # those serve in processes that have no doors
            ("tests/test_test.py", "tests/test_wsgi.py", "tests/test_wrappers.py"),
        ),
        Project("flask", "werkzeug", "asgiref greenlet pytest<9 python-dotenv"),
        Project(
            "fastapi",
            "starlette",
            "fastapi[all] a2wsgi dirty-equals flask httpx2 inline-snapshot logfire orjson pyjwt "
            "opentelemetry-exporter-otlp-proto-http opentelemetry-instrumentation-fastapi "
            "opentelemetry-sdk pwdlib[argon2] pytest<9.2 pytest-codspeed pytest-timeout "
            "coverage pytest-xdist ujson sentry-sdk sqlmodel strawberry-graphql trio typer",
            ("tests", "--ignore=tests/test_telemetry"),  # in processes that have no doors
        ),
        Project(
            "django",
            "django",
            "jinja2 docutils tblib tzdata PyYAML",
            (
                *("asgi", "wsgi", "handlers", "servers", "async", "httpwrappers"),
                *("requests_tests", "responses", "file_uploads", "conditional_processing"),
                *("test_client", "test_client_regress", "middleware", "middleware_exceptions"),
                *("csrf_tests", "sessions_tests", "messages_tests", "view_tests", "generic_views"),
                *("decorators", "urlpatterns_reverse", "staticfiles_tests", "sitemaps_tests"),
                *("syndication_tests", "context_processors", "redirects_tests", "signals"),
                *("flatpages_tests", "logging_tests", "i18n", "auth_tests", "admin_views"),
            ),
            ("asgi", "wsgi", "handlers", "test_client"),
            dict.fromkeys(
                (
                    "wsgi.tests.WSGITest.test_get_wsgi_application",
                    "handlers.tests.HandlerTests.test_bad_path_info",
                    "handlers.tests.HandlerTests.test_invalid_multipart_boundary",
                    f"{_EXCEPTIONS}.test_data_upload_max_memory_size_exceeded",
                    f"{_EXCEPTIONS}.test_data_upload_max_number_fields_exceeded",
                    f"{_EXCEPTIONS}.test_data_upload_max_number_files_exceeded",
                ),
                _OWN_RESPONSE,
            ),
            command=("runtests.py", "--settings=reloadcheck_inside.django_settings", *_RUNNER),
            within="tests",
        ),
        Project(
            "wagtail",  # a site with some two hundred models, its admin, its tasks and its commands
            "site",
            "jinja2 freezegun factory-boy responses tblib",
            (
                *("wagtail.tests", "wagtail.admin.tests.pages", "wagtail.users", "wagtail.images"),
                *("wagtail.snippets", "wagtail.documents", "wagtail.contrib.redirects"),
            ),
            ("wagtail.tests.test_page_model", "wagtail.tests.test_sites", "wagtail.users"),
            version="8.0.1",
            command=(
                *("-m", "django", "test", "--settings=reloadcheck_inside.wagtail_settings"),
                *_RUNNER,
            ),
        ),
    )
}
