"""The look of the admin: its first page and the pages of its sidebar, by what people do there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _favicon(request: HttpRequest) -> str:
    return static("recsite/favicon.svg")


def _holds(permission: str) -> Callable[[HttpRequest], bool]:
    def has(request: HttpRequest) -> bool:
        return bool(request.user.has_perm(permission))

    return has


def _leads_to(link: Any) -> Callable[[HttpRequest], bool]:
    def leads(request: HttpRequest) -> bool:
        """Return whether no other line of the sidebar is nearer to the page."""
        links = (str(item["link"]) for group in NAVIGATION for item in group["items"])
        return str(link) == max((one for one in links if request.path.startswith(one)), key=len, default="")

    return leads


def _page(title: str, icon: str, name: str, permission: str) -> dict[str, Any]:
    """Return a line of the sidebar; `icon` is one of Material Symbols, `name` that of the address."""
    link = reverse_lazy(f"admin:{name}")
    return {
        "title": title, "icon": icon, "link": link, "permission": _holds(permission), "active": _leads_to(link),
    }  # fmt: skip


NAVIGATION: list[dict[str, Any]] = [
    {"items": [{"title": "Dashboard", "icon": "dashboard", "link": reverse_lazy("admin:index")}]},
    {
        "title": "Editorial",
        "separator": True,
        "items": [
            _page("Placements", "view_carousel", "recommender_placement_changelist", "recommender.view_placement"),
            _page("Rules", "rule", "recommender_rule_changelist", "recommender.view_rule"),
            _page("Calendar", "calendar_month", "recommender_rule_calendar_page", "recommender.view_rule"),
            _page("Preview", "visibility", "recommender_rule_preview_page", "recommender.change_rule"),
            _page("Why is this here?", "help", "recommender_rule_inspector_page", "recommender.view_rule"),
            _page("Publish", "publish", "recommender_rule_publish_page", "recommender.change_rule"),
            _page("Versions", "history", "recommender_rulesetversion_changelist", "recommender.view_rulesetversion"),
        ],
    },
    {
        "title": "Catalogue",
        "separator": True,
        "items": [
            _page("Items", "movie", "catalog_item_changelist", "catalog.view_item"),
            _page("Embeddings", "scatter_plot", "catalog_embeddingspace_changelist", "catalog.view_embeddingspace"),
        ],
    },
    {
        "title": "Experiments",
        "separator": True,
        "items": [
            _page("Experiments", "science", "experiments_experiment_changelist", "experiments.view_experiment"),
            _page("Metrics", "straighten", "experiments_metric_changelist", "experiments.view_metric"),
        ],
    },
    {
        "title": "Models",
        "separator": True,
        "items": [
            _page("Versions", "model_training", "recommender_modelversion_changelist", "recommender.view_modelversion"),
            _page("Rebuilds", "autorenew", "recommender_rebuildjob_changelist", "recommender.view_rebuildjob"),
        ],
    },
    {
        "title": "Operations",
        "separator": True,
        "collapsible": True,
        "items": [
            _page("Events", "bolt", "interactions_event_changelist", "interactions.view_event"),
            _page("Impressions", "preview", "interactions_impression_changelist", "interactions.view_impression"),
            _page("Event types", "category", "interactions_eventtype_changelist", "interactions.view_eventtype"),
            _page(
                "Refused events",
                "mark_email_unread",
                "interactions_deadletter_changelist",
                "interactions.view_deadletter",
            ),
            _page("Audience", "group", "interactions_userprofile_changelist", "interactions.view_userprofile"),
            _page(
                "Schedule",
                "schedule",
                "django_celery_beat_periodictask_changelist",
                "django_celery_beat.view_periodictask",
            ),
            _page("Audit", "fact_check", "recsite_auditentry_changelist", "recsite.view_auditentry"),
            _page("API keys", "key", "recsite_apikey_changelist", "recsite.view_apikey"),
            _page("Accounts", "manage_accounts", "auth_user_changelist", "auth.view_user"),
            _page("Groups", "shield_person", "auth_group_changelist", "auth.view_group"),
        ],
    },
]

ORANGE = {
    "50": "#fff6f0",
    "100": "#ffe8da",
    "200": "#ffd0b5",
    "300": "#ffb286",
    "400": "#ff9c66",
    "500": "#ff8a4c",
    "600": "#b93a0a",
    "700": "#9a2f06",
    "800": "#7c2706",
    "900": "#5f2008",
    "950": "#391204",
}
"""The accent of the site (site.css): 500 is read on the dark of the admin, 600 on its white, at 4.5 to 1 or more."""

UNFOLD: dict[str, Any] = {
    "COLORS": {"primary": ORANGE},
    "SITE_TITLE": "recsite",
    "SITE_HEADER": "recsite",
    "SITE_SYMBOL": "recommend",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _favicon}],
    "DASHBOARD_CALLBACK": "recsite.dashboard.callback",
    "SIDEBAR": {"show_search": False, "show_all_applications": True, "navigation": NAVIGATION},
}
