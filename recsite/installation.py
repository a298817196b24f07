"""Make `.venv` and install the locked packages: `python -I recsite/installation.py [--dev] [--engines]`, see Makefile.

Standard library only: it runs before anything is installed. A stamp in `.venv` says what was installed, by content of
the lock files, so a second run changes nothing, asks nobody, and needs no network.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import NoReturn, Self

PROJECT = Path(__file__).resolve().parent.parent
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCKS = {
    "packages": PROJECT / "requirements.lock",
    "tools": PROJECT / "requirements-dev.lock",
    "engines": PROJECT / "requirements-engines.lock",
}
ANNOY_LOCK = PROJECT / "requirements-annoy.lock"
LOG = VENV / "installation.log"

ANNOY_FLAGS = (
    "-fpermissive,-O3,-march=x86-64-v3,-ffast-math,-fno-associative-math,-DANNOYLIB_MULTITHREADED_BUILD,-std=c++14"
)
"""Annoy's own flags with a fixed architecture: built for the very machine, a copied `.venv` may crash elsewhere."""


def main() -> None:
    """Install what is missing; exit 1 with one sentence when that cannot be done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="also the tools of `make lint` and `make test`")
    parser.add_argument("--engines", action="store_true", help="also Spark and Milvus, for `make test-engines`")
    options = parser.parse_args()
    wanted = ["packages", *["tools"] * options.dev, *["engines"] * options.engines]
    missing = [name for name in wanted if stamp(name) != key(LOCKS[name])]
    lacks_annoy = stamp("annoy") not in ("installed " + key(ANNOY_LOCK), absent_annoy())
    if missing or lacks_annoy:
        make_environment()
        with AnnoyBuild() if lacks_annoy else nullcontext() as annoy:
            for name in missing:
                install(name)
            if annoy:
                set_stamp("annoy", annoy.finish())


def make_environment() -> None:
    """Make `.venv` with this Python; keep one that is there and of the same version."""
    if interpreter() == sys.version:
        return
    if importlib.util.find_spec("ensurepip") is None:
        fail(
            f"{sys.executable} cannot make virtual environments (it has no ensurepip). Install it (Debian and Ubuntu: "
            "the package python3-venv), or name another Python: make setup PYTHON=/path/to/python3"
        )
    say(f"Making .venv with Python {platform.python_version()}")
    # Not sys.executable: that may be the broken environment's own.
    base = getattr(sys, "_base_executable", sys.executable)
    run([base, "-m", "venv", "--clear", str(VENV)], "The virtual environment could not be made.")


def install(name: str) -> None:
    """Install one lock file, every package checked against its hash."""
    say(f"Installing the {name} of {LOCKS[name].name}")
    # --no-deps: a lock file is complete, so nothing need be resolved. --no-compile: Python compiles what it imports,
    # a tenth of what there is.
    pip(["--no-deps", "--no-compile", "-r", str(LOCKS[name])], f"The {name} could not be installed.")
    set_stamp(name, key(LOCKS[name]))


class AnnoyBuild:
    """Annoy, which comes as source only, compiled while the other packages are being installed."""

    def __enter__(self) -> Self:
        """Begin to compile it, unless nothing can be compiled here."""
        self._folder = Path(tempfile.mkdtemp(prefix="recsite-annoy-"))
        self._build: subprocess.Popen[bytes] | None = None
        self._fault = compiler_fault()
        if not self._fault:
            flags = {"ANNOY_COMPILER_ARGS": ANNOY_FLAGS} if has_avx2() else {}
            # --no-cache-dir: pip would offer the wheel built here to any other machine that shares the cache.
            options = ["--no-deps", "--no-cache-dir", "--no-binary", "annoy", "--wheel-dir", str(self._folder)]
            # Older versions of pip would want setuptools and wheel in .venv.
            options.append("--use-pep517")
            with LOG.open("wb") as log:
                self._build = subprocess.Popen(
                    [*PIP, "wheel", *CHECKED, *options, "-r", str(ANNOY_LOCK)],
                    env=quiet() | flags,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
        return self

    def finish(self) -> str:
        """Install it, or say that exact search stands in. Return what to remember."""
        if self._build:
            say("Building Annoy, the index of large catalogues")
            if self._build.wait() == 0 and self._install():
                return "installed " + key(ANNOY_LOCK)
            self._fault = f"building it failed, see {LOG}"
        say(f"Going on without Annoy ({self._fault}): exact search is used instead.")
        return absent_annoy()

    def _install(self) -> bool:
        wheels = [str(path) for path in self._folder.glob("*.whl")]
        command = [*PIP, "install", "--no-deps", "--no-index", "--force-reinstall", *wheels]
        checks = (command, [str(PYTHON), "-c", "import annoy"])
        tried = (subprocess.run(check, env=quiet(), capture_output=True, check=False) for check in checks)
        return all(each.returncode == 0 for each in tried)

    def __exit__(self, *_: object) -> None:
        """Stop compiling, should the rest have failed."""
        if self._build:
            self._build.terminate()
            self._build.wait()
        shutil.rmtree(self._folder)


def absent_annoy() -> str:
    """Return what is remembered of a failed build: it is tried again when the lock or the compiler changes."""
    return f"absent {key(ANNOY_LOCK)} {shutil.which(compiler()[0])}"


def compiler() -> list[str]:
    """Return the command of the C++ compiler that Python extensions are built with."""
    return (os.environ.get("CXX") or sysconfig.get_config_var("CXX") or "c++").split()


def compiler_fault() -> str:
    """Return why no extension can be compiled, by compiling one; "" when it can."""
    source = "#include <Python.h>\n#include <vector>\nstd::vector<int> numbers;\n"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe.cpp"
        path.write_text(source)
        command = [*compiler(), "-c", str(path), "-o", f"{path}.o", f"-I{sysconfig.get_path('include')}"]
        try:
            tried = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        except OSError:
            return f"there is no C++ compiler {compiler()[0]!r}"
        if tried.returncode == 0:
            return ""
        return f"{compiler()[0]} cannot compile for Python: {(tried.stderr.strip() or '?').splitlines()[0]}"


def has_avx2() -> bool:
    """Return whether this is an x86-64 processor of level 3 or higher, as far as Linux tells."""
    try:
        return platform.machine() == "x86_64" and " avx2 " in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


PIP = [str(PYTHON), "-m", "pip", "--no-input", "--disable-pip-version-check"]
CHECKED = ["--require-hashes", "--progress-bar", "off"]


def pip(arguments: list[str], complaint: str) -> None:
    """Install with pip, telling how many packages it has got when somebody is watching."""
    run([*PIP, "install", *CHECKED, *arguments], complaint)


def run(command: list[str], complaint: str) -> None:
    """Run `command` to its end; exit with `complaint` and its last lines when it fails."""
    started = time.monotonic()
    lines: list[str] = []
    packages = 0
    with subprocess.Popen(
        command, env=quiet(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        for line in process.stdout or ():
            lines.append(line.rstrip())
            packages += line.startswith("Collecting ")
            show(f"  {packages} packages, {time.monotonic() - started:.0f} s")
    show("")
    if process.returncode:
        fail("\n".join([complaint, *(f"  | {line}" for line in lines[-8:])]))


def quiet() -> dict[str, str]:
    """Return an environment in which pip installs into `.venv` and nowhere else."""
    return {**os.environ, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PYTHONPATH": ""}


def interpreter() -> str:
    """Return the version of the Python in `.venv`, "" when there is none that works."""
    try:
        found = subprocess.run(
            [PYTHON, "-c", "import pip, sys; sys.stdout.write(sys.version)"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return ""
    return found.stdout if found.returncode == 0 else ""


def key(lock: Path) -> str:
    """Return what an installation of `lock` by this Python is remembered by."""
    return hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()


def stamp(name: str) -> str:
    """Return what was remembered of an installation in the present `.venv`, "" when nothing was."""
    try:
        return str(json.loads((VENV / "installed.json").read_text()).get(name, "")) if PYTHON.exists() else ""
    except (OSError, ValueError):
        return ""


def set_stamp(name: str, value: str) -> None:
    """Remember an installation."""
    stamps = {other: stamp(other) for other in (*LOCKS, "annoy")} | {name: value}
    (VENV / "installed.json").write_text(json.dumps(stamps))


def say(line: str) -> None:
    """Tell a person which phase this is."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def show(line: str) -> None:
    """Show progress in place, on a terminal only."""
    if sys.stdout.isatty():
        sys.stdout.write(f"\r\x1b[K{line}")
        sys.stdout.flush()


def fail(message: str) -> NoReturn:
    """End with one sentence for a person."""
    sys.exit(message)


if __name__ == "__main__":
    main()
