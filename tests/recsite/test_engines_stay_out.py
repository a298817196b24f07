from __future__ import annotations

import json
import subprocess
import sys

SCRIPT = """
import json, sys
import django
django.setup()
import recommender.rebuilding, recsite.urls, recsite.wsgi
from django.core.management import call_command
call_command("check")
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
ENGINES = {"pyspark", "py4j", "pymilvus", "milvus_lite", "grpc", "confluent_kafka"}


def test_a_site_that_has_not_chosen_an_engine_imports_none() -> None:
    """Nor does it check, start or wait for one: a laptop starts as if there were none."""
    said = subprocess.run([sys.executable, "-W", "ignore", "-c", SCRIPT], capture_output=True, text=True, check=True)
    imported = set(json.loads(said.stdout.splitlines()[-1]))
    assert "recommender" in imported
    assert not imported & ENGINES
