from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from experiments import lifecycle
from experiments.models import Experiment, Exposure, Metric, Variant
from interactions.models import Impression
from recommender import participation, serving, tasks
from recommender.participation import EVERYBODY, Participation, ParticipationMiddleware
from tests.recommender.film_site import FilmSite

CRAWLER = {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}


def during(request: HttpRequest) -> Participation:
    """Return what holds while the request is answered."""
    found: list[Participation] = []

    def answer(_: HttpRequest) -> HttpResponse:
        found.append(participation.current())
        return HttpResponse()

    ParticipationMiddleware(answer)(request)
    assert participation.current() == EVERYBODY
    return found[0]


@contextmanager
def answering(request: HttpRequest) -> Iterator[None]:
    token = participation._request.set(request)
    try:
        yield
    finally:
        participation._request.reset(token)


def asked(path: str = "/", *, staff: bool = False, headers: dict[str, str] | None = None) -> HttpRequest:
    request = RequestFactory().get(path, headers=headers or {})
    request.user = User(username="chief", is_staff=True) if staff else AnonymousUser()
    return request


def test_visitors_take_part_and_cannot_choose() -> None:
    assert during(asked("/?variant=exp:treatment")) == EVERYBODY


def test_crawlers_take_no_part() -> None:
    assert during(asked(headers=CRAWLER)) == Participation(takes_part=False)


@pytest.mark.parametrize(
    ("path", "forced"),
    [("/", None), ("/?variant=exp:treatment", ("exp", "treatment")), ("/?variant=red", None), ("/?variant=:a", None)],
)
def test_staff_take_no_part_and_may_choose(path: str, forced: tuple[str, str] | None) -> None:
    assert during(asked(path, staff=True)) == Participation(takes_part=False, forced=forced)


def test_a_request_without_accounts_is_everybody_s() -> None:
    assert during(RequestFactory().get("/")) == EVERYBODY


def test_forcing_ends_with_its_block() -> None:
    with participation.forcing(("exp", "a")), participation.forcing(None):
        assert participation.current() == Participation(takes_part=False, forced=("exp", "a"))
    assert participation.current() == EVERYBODY


PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36"


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (PHONE, "mobile"),
        ("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "desktop"),
        ("python-requests/2", ""),
        ("", ""),
    ],
)
def test_a_browser_says_which_device_it_is_on(agent: str, device: str) -> None:
    with answering(asked(headers={"User-Agent": agent})):
        assert participation.device() == device
    assert participation.device() == ""


def test_device_and_version_are_noted_with_each_showing(running: FilmSite) -> None:
    """Also of a list that was kept from another device."""
    serving.recommend("ann", device="tv", app_version="3.1")
    serving.recommend("ann", app_version="3.2")
    with answering(asked(headers={"User-Agent": PHONE})):
        serving.page("home", user_id="ann")
    tasks.write_impressions()
    noted = Impression.objects.filter(placement="homepage", position=0).order_by("shown_at")
    assert list(noted.values_list("device", "app_version")) == [("tv", "3.1"), ("", "3.2"), ("mobile", "")]
    assert Exposure.objects.get().device == "tv"


@pytest.fixture
def running(site: FilmSite) -> FilmSite:
    """Everybody sees the popular list, which the control would not show him."""
    with site.commit():
        metric = Metric.objects.create(name="watches", event_type="watch")
        experiment = Experiment.objects.create(
            experiment_id="exp", name="Experiment", placement="homepage", primary_metric=metric
        )
        Variant.objects.create(experiment=experiment, name="control", position=0, weight=1)
        Variant.objects.create(experiment=experiment, name="other", position=1, weight=1)
        popular = {"recipe": "trending"}
        Variant.objects.create(experiment=experiment, name="popular", position=2, weight=0, configuration=popular)
        lifecycle.start("exp")
    site.does("ann", ("watch", "alien"))
    return site


@pytest.mark.parametrize("request_", [asked(headers=CRAWLER), asked(staff=True)])
def test_who_takes_no_part_is_in_no_arm_but_sees_a_list(running: FilmSite, request_: HttpRequest) -> None:
    with answering(request_):
        made = serving.recommend("ann")
    assert (made.experiment_id, made.variant) == ("", "")
    assert made.items
    assert serving.recommend("ann").experiment_id == "exp"
    tasks.write_impressions()
    assert set(Impression.objects.values_list("experiment_id", flat=True)) == {"", "exp"}


def test_a_forced_variant_is_shown_and_counted_nowhere(running: FilmSite) -> None:
    with answering(asked("/?variant=exp:popular", staff=True)):
        made = serving.recommend("ann")
    assert (made.experiment_id, made.variant, made.items[0].item_id) == ("exp", "popular", "heat")
    assert tasks.write_impressions() == 0
    assert not Exposure.objects.exists()
    assert serving.recommend("ann").variant in ("control", "other")


def test_a_forced_variant_is_counted_nowhere_on_a_page_kept_or_empty_either(running: FilmSite) -> None:
    """Nor is it when the list is found as it was made a moment ago, or shows nothing on purpose."""
    with running.commit():
        Variant.objects.filter(name="popular").update(configuration={"nothing": True})
        Experiment.objects.get().save()
    with participation.forcing(("exp", "popular")):
        assert serving.recommend("ann").items == ()
    with participation.forcing(("exp", "other")):
        lists = [serving.recommend("ann") for _ in range(2)]
        page = serving.page("home", user_id="ann")
    assert {made.variant for made in lists} == {"other"}
    assert "other" in {made.variant for made in page}
    tasks.write_impressions()
    assert set(Impression.objects.values_list("experiment_id", "variant")) <= {("", "")}
    assert not Exposure.objects.exists()


def test_a_variant_that_does_not_run_is_not_shown(running: FilmSite) -> None:
    with answering(asked("/?variant=exp:nothing", staff=True)):
        assert serving.recommend("ann").variant == ""


def test_a_list_kept_for_one_is_not_shown_to_the_other(running: FilmSite) -> None:
    with answering(asked("/?variant=exp:popular", staff=True)):
        shown = serving.recommend("ann")
    assert serving.recommend("ann").variant != shown.variant
    with answering(asked("/?variant=exp:popular", staff=True)):
        assert serving.recommend("ann").variant == shown.variant
