"""Where the views are."""

from django.contrib import admin
from django.urls import include, path

from . import views

urlpatterns = [
    path("", views.home),
    path("facts", views.facts),
    path("visits", views.visits),
    path("admin/reloadcheck/", include("reloadcheck.integrations.django.urls")),  # for staff
    path("admin/", admin.site.urls),
]
