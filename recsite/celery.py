"""The Celery application; its schedule is CELERY_BEAT_SCHEDULE at first, then what editors say in admin (`beat`)."""

from __future__ import annotations

import os

# implicit and numpy train with one BLAS thread each: more only fight with implicit's own threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")

from celery import Celery

app = Celery("recsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
