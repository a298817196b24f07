"""Addresses of the site's pages."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from recsite.site import act_views, browse_views, embed_views, poster_views, profile_views, quiz_views, views

app_name = "site"

urlpatterns = [
    path("", views.home, name="home"),
    path("items/<path:item_id>/", views.item, name="item"),
    path("browse/", browse_views.browse, name="browse"),
    path("browse/<path:category>/", browse_views.browse, name="category"),
    path("search/", browse_views.search, name="search"),
    path("welcome/", quiz_views.ask, name="quiz"),
    path("profile/", profile_views.profile, name="profile"),
    path("profile/pause/", profile_views.pause, name="pause"),
    path("profile/resume/", profile_views.resume, name="resume"),
    path("profile/data/", profile_views.data, name="data"),
    path("profile/erase/", profile_views.erase, name="erase"),
    path("undo/<slug:name>/<path:item_id>/", profile_views.undo, name="undo"),
    path("history/", RedirectView.as_view(pattern_name="site:profile"), name="history"),
    path("embed/", embed_views.embed, name="embed"),
    path("act/<slug:name>/<path:item_id>/", act_views.act, name="act"),
    path("sign-in/", act_views.sign_in, name="sign_in"),
    path("sign-out/", act_views.sign_out, name="sign_out"),
    path("posters/<path:item_id>.svg", poster_views.poster, name="poster"),
    path("backdrops/<path:item_id>.svg", poster_views.backdrop, name="backdrop"),
]
