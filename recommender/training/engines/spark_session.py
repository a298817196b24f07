"""Spark's beginning and its end: what it needs, a session, and no Java left behind."""

from __future__ import annotations

import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import recommender
from recommender import conf
from recommender.exceptions import BackendError, ConfigurationError, EngineFailed

logger = logging.getLogger(__name__)

LEAST_JAVA = 17
REACH_SECONDS = 5.0
"""Until a master must accept a connection; Spark itself goes on trying for a minute, and says little then."""
STACK = "-Xss16m"
"""Of Java's threads: a task of ALS holds the plan of all iterations before, which Java writes and reads by recursion.
Its usual megabyte was at times too little for fifteen."""
PACKAGES = ("pyspark", "pyarrow", "pandas")


def require() -> None:
    """Raise ConfigurationError, with what to do, unless this machine can drive Spark."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        listed = ", ".join(missing)
        raise ConfigurationError(f"Training on Spark needs {listed}: pip install 'recsite[spark]' (or engine local).")
    found = _java()
    if found < LEAST_JAVA:
        what = f"found is Java {found}" if found else "there is no java in PATH or JAVA_HOME"
        raise ConfigurationError(
            f"Spark needs Java {LEAST_JAVA} or newer, {what}: install it (Debian: openjdk-17-jre-headless), or set "
            "JAVA_HOME."
        )


def start() -> Any:
    """Return a session of Spark with RECOMMENDER_SPARK's master and options.

    Raises
    ------
    ConfigurationError
        See `require`.
    EngineFailed
        The master does not answer, or Spark did not start.
    """
    require()
    settings = conf.get("SPARK")
    master = str(settings["master"])
    _require_reachable(master)
    packages = str(Path(recommender.__file__).parent.parent)
    options = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.maxResultSize": "0",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }
    if master.startswith("local"):
        # The tasks' Python is this one, with the same packages; on a cluster it is for its machines to have them.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        options |= {"spark.executorEnv.PYTHONPATH": packages, "spark.driver.host": "127.0.0.1"}
        # Spark's 200 are for a cluster: on one machine most of a small job's time is their beginnings and ends.
        options["spark.sql.shuffle.partitions"] = str(2 * (os.cpu_count() or 1))
    options |= settings["options"]
    for name in ("spark.driver.extraJavaOptions", "spark.executor.extraJavaOptions"):
        options[name] = f"{STACK} {options.get(name, '')}".strip()
    builder = import_module("pyspark.sql").SparkSession.builder.appName("recsite").master(master)
    with told("start"):
        session = builder.config(map=options).getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
    return session


def stop(session: Any) -> None:
    """End the session and its Java process, which else lives, and keeps its memory, as long as this one."""
    context = import_module("pyspark").SparkContext
    gateway = context._gateway
    try:
        with told("stopping"), warnings.catch_warnings():
            # "Unable to cleanly shutdown": that is what the rest is for.
            warnings.simplefilter("ignore", RuntimeWarning)
            session.stop()
            gateway.shutdown()
    except EngineFailed as error:
        # It may be what has failed; the process goes in any case.
        logger.info("Spark did not stop in order: %s", error)
    # What stopped half-way is still taken for the one that runs.
    context._gateway = context._jvm = context._active_spark_context = None
    sessions = type(session)
    sessions._instantiatedSession = sessions._activeSession = None
    if (process := getattr(gateway, "proc", None)) is not None:
        process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def told(what: str) -> Iterator[None]:
    """Turn what Spark raises in the block into an EngineFailed that says in one line what it was about."""
    try:
        yield
    except BackendError:
        raise
    except Exception as error:
        if not _is_sparks(error):
            raise
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        # The last line of a Python traceback from a task, else the first of Java's.
        reason = next((line for line in reversed(lines) if re.match(r"[\w.]*(Error|Exception)\b.*: ", line)), "")
        reason = reason or (lines[0] if lines else type(error).__name__)
        raise EngineFailed(f"Spark failed at {what}: {reason[:300]}") from error


def _is_sparks(error: Exception) -> bool:
    module = type(error).__module__.partition(".")[0]
    return module in ("pyspark", "py4j") or isinstance(error, (OSError, EOFError))


def _java() -> int:
    """Return the major version of the Java that Spark would start, 0 when there is none."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if java is None:
        return 0
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, check=True, timeout=30).stderr
    except (OSError, subprocess.SubprocessError):
        return 0
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(version.group(1)) if version else 0


def _require_reachable(master: str) -> None:
    """Raise EngineFailed unless one of the masters of spark://host:port,host:port accepts a connection."""
    if not master.startswith("spark://"):
        return
    reasons = []
    for address in master.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=REACH_SECONDS).close()
        except (OSError, ValueError) as error:
            reasons.append(f"{address}: {error}")
        else:
            return
    raise EngineFailed(f"No Spark master answers ({'; '.join(reasons)}). Start it, or see SPARK_MASTER.")
