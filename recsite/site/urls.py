"""Addresses of the site's pages."""

from __future__ import annotations

from django.urls import path

from recsite.site import act_views, poster_views, views

app_name = "site"

urlpatterns = [
    path("", views.home, name="home"),
    path("items/<path:item_id>/", views.item, name="item"),
    path("browse/", views.browse, name="browse"),
    path("browse/<path:category>/", views.browse, name="category"),
    path("search/", views.search, name="search"),
    path("history/", views.history, name="history"),
    path("act/<slug:name>/<path:item_id>/", act_views.act, name="act"),
    path("sign-in/", act_views.sign_in, name="sign_in"),
    path("sign-out/", act_views.sign_out, name="sign_out"),
    path("posters/<path:item_id>.svg", poster_views.poster, name="poster"),
    path("backdrops/<path:item_id>.svg", poster_views.backdrop, name="backdrop"),
]
