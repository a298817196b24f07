"""The web application. A request may hold a statement for two seconds, never longer."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
os.environ.setdefault("STATEMENT_TIMEOUT_MS", "2000")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from recsite import warming  # noqa: E402 -- needs Django set up

warming.begin()
