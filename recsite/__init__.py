"""Settings and wiring of the project; no logic of the recommender lives here."""

from recsite.celery import app as celery_app

__all__ = ["celery_app"]
