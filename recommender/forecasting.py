"""What an experiment's variants would earn, found before it starts: logged lists made again as each would make them.

Of a sample of the users whom the experiment is for, the newest lists are made again (`replaying`) with the placement as
it is and with each variant, through the same door as if the experiment were running. `experiments.off_policy` weighs
what came of the lists as they were, or refuses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from catalog.waiting_jobs import Tell
from experiments import off_policy
from experiments.assignment import RunningExperiment, assign, prepare
from experiments.exceptions import AnalysisRefused
from experiments.forecasts import AS_IT_IS, Asked, Estimated, Found, OfVariant
from experiments.off_policy import Decisions
from interactions.queries import sample_of_users
from recommender import participation, replaying, serving
from recommender.answering import Answer
from recommender.impact_replay import as_it_is
from recommender.registry import tried
from recommender.replaying import Policy, Replayed
from recommender.variants import problems
from recommender.visit import Visit, begin

USERS = 200
"""Each has a few lists, and each list is made once for every variant."""
OPEN_SECONDS = 60.0
"""For a model version to be read."""


def forecast(asked: Asked, seed: int = 0, tell: Tell = lambda *_: None, *, users: int = USERS) -> Found:
    """Return what each variant would earn, or why that cannot be said.

    Parameters
    ----------
    seed
        The same one draws the same users.
    tell
        Called with the number of users looked at and of all.
    """
    obstacles = _obstacles(asked)
    running = _running(asked, [name for name, obstacle in obstacles.items() if not obstacle])
    names = [arm.variant for arm in running.arms]
    policies = [as_it_is, *(_as(running, name, obstacles) for name in names[1:])]
    sample = sample_of_users(users, seed)
    replayed: list[Replayed] = []
    for done, user_id in enumerate(sample):
        visit = begin(user_id, record=False)
        visit = replace(visit, state=replace(visit.state, experiments=(running,)))
        stand_in = [name for name in replaying.placements(visit, running.placements) if _is_for(running, visit, name)]
        replayed.append(replaying.replay(visit, policies, stand_in, asked.event_type))
        tell(done + 1, len(sample))
    found = dict(zip(names, replaying.decisions(replayed, len(names)), strict=True))
    rewards = found[AS_IT_IS].rewards
    return Found(
        event_type=asked.event_type,
        users=sum(one.lists > 0 for one in replayed),
        lists=sum(one.lists for one in replayed),
        mixed=sum(one.mixed for one in replayed),
        places=len(rewards),
        rate=float(rewards.mean()) if len(rewards) else 0.0,
        variants=tuple(_of(name, found, asked.event_type, obstacles.get(name, "")) for name in (AS_IT_IS, *obstacles)),
    )


def _obstacles(asked: Asked) -> dict[str, str]:
    """Return variant → why its lists cannot be made, "" where they can."""
    versions = {name: str(of["model_version"]) for name, of in asked.configurations if "model_version" in of}
    opened = tried.opened(frozenset(versions.values()), begin("", record=False).state.catalogue, OPEN_SECONDS)
    found = {}
    for name, configuration in asked.configurations:
        wrong = problems(configuration)
        if not wrong and configuration.get("nothing", False):
            wrong = ["It shows nothing, so there is nothing that could earn anything."]
        if not wrong and versions.get(name, "") not in {"", *opened}:
            wrong = [f"The model version {versions[name]!r} could not be opened."]
        found[name] = next(iter(wrong), "")
    return found


def _running(asked: Asked, names: Sequence[str]) -> RunningExperiment:
    """Return the experiment as if it ran for everybody it is for; its first arm is the placement as it is."""
    arms = {AS_IT_IS: {}, **{name: of for name, of in asked.configurations if name in names}}
    return prepare(
        experiment_id=asked.experiment_id,
        phase=0,
        placement=asked.placement,
        countries=asked.countries,
        segments=asked.segments,
        coverage=1.0,
        weights=[(name, 1.0) for name in arms],
        configurations=arms,
    )


def _is_for(running: RunningExperiment, visit: Visit, placement: str) -> bool:
    return assign(visit.user.user_id, running, placement, visit.user.country, visit.segments) is not None


def _as(running: RunningExperiment, variant: str, obstacles: dict[str, str]) -> Policy:
    """Return what makes a variant's lists; where it cannot, `obstacles` says so."""

    def answer(past: Visit, placement: str) -> Answer:
        with participation.forcing((running.experiment_id, variant)):
            made, answered = serving.look_into(past, context=placement)
        if made.variant != variant:
            obstacles[variant] = f"It cannot be shown at {placement!r}; the log of the worker says why."
        return answered

    return answer


def _of(name: str, found: Mapping[str, Decisions], event_type: str, obstacle: str) -> OfVariant:
    if obstacle:
        return OfVariant(variant=name, obstacle=obstacle)
    before, decisions = found[AS_IT_IS], found[name]
    try:
        if len(decisions.rewards) and not decisions.rewards.any():
            raise AnalysisRefused(f"None of the {len(decisions.rewards):,} items shown led to an event {event_type!r}.")
        estimates = [
            (label, off_policy.estimate(decisions, estimator)) for label, estimator in off_policy.ESTIMATORS.items()
        ]
        more = off_policy.difference(before, decisions, off_policy.doubly_robust)
    except AnalysisRefused as refusal:
        return OfVariant(variant=name, obstacle=str(refusal))
    return OfVariant(
        variant=name,
        covered=min(decisions.covered, 1.0),
        effective_rows=estimates[0][1].effective_rows,
        estimates=tuple(
            Estimated(estimator=label, value=one.value, low=one.low, high=one.high) for label, one in estimates
        ),
        low=more.low,
        high=more.high,
    )
