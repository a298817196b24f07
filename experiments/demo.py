"""The experiment of the demo site: does a more varied home page make people watch more?"""

from __future__ import annotations

from django.db import transaction

from experiments.lifecycle import start
from experiments.models import Experiment, Metric, Variant

EXPERIMENT_ID = "homepage-recipe"


def create() -> bool:
    """Make the demo experiment and start it. Returns False, and changes nothing, when it is there already."""
    with transaction.atomic():
        metric, _ = Metric.objects.get_or_create(
            name="watch-through",
            defaults={"kind": Metric.Kind.PROPORTION, "event_type": "watch", "attributed_only": True},
        )
        experiment, is_new = Experiment.objects.get_or_create(
            experiment_id=EXPERIMENT_ID,
            defaults={"name": "A more varied home page", "placement": "homepage", "primary_metric": metric},
        )
        if not is_new:
            return False
        Variant.objects.create(experiment=experiment, name="control", position=0)
        Variant.objects.create(
            experiment=experiment, name="diverse", position=1, configuration={"recipe": "personalized_diverse"}
        )
        start(EXPERIMENT_ID)
        return True
