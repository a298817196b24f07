"""Settings of a process that `tests.web_server` starts: the site's own, but on the starter's database."""

from __future__ import annotations

import json
import os

from recsite.settings import *  # noqa: F403
from recsite.settings import DATABASES

DATABASES["default"]["NAME"] = os.environ["STARTER_DATABASE"]
globals().update(json.loads(os.environ["STARTER_SETTINGS"]))
