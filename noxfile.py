"""The checks in environments of their own: ``nox -l`` lists them, ``nox -s lowest`` runs one, ``nox`` most of them.

Arguments after ``--`` go to what a session runs, mostly pytest: ``nox -s tests-3.12 -- tests/corpus``. A Python that is
not installed is skipped.
"""

from __future__ import annotations

import re

import nox

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)
LOWEST_PYTHON = PYTHONS[0]
NEXT_PYTHON = "3.14"  # not promised yet

nox.options.sessions = ["tests", "lowest", "cpu", "docs", "lint", "package"]
nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True


@nox.session(python=[*PYTHONS, NEXT_PYTHON])
def tests(session: nox.Session) -> None:
    """Run all tests."""
    session.install(".[test]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(python=LOWEST_PYTHON)
def lowest(session: nox.Session) -> None:
    """Run all tests with the oldest packages that pyproject.toml allows."""
    session.install(".[test]", *lowest_requirements())
    session.run("python", "-m", "pytest", *session.posargs)


def lowest_requirements() -> list[str]:
    """What the package and its ``all`` extra need, each at the lower bound."""
    extras = PROJECT["project"]["optional-dependencies"]
    (everything,) = extras["all"]
    names = re.findall(r"[a-z]+", everything.partition("[")[2])
    needed = {*PROJECT["project"]["dependencies"], *(requirement for name in names for requirement in extras[name])}
    return sorted(requirement.replace(">=", "==") for requirement in needed)


@nox.session(python=LOWEST_PYTHON)
def cpu(session: nox.Session) -> None:
    """Test kernels that are compiled for other processors."""
    session.install(".[test]")
    session.run("bash", ".ci/processors", "python", external=True)


@nox.session(python=LOWEST_PYTHON)
def coverage(session: nox.Session) -> None:
    """Tell which lines no test runs.

    Compiled kernels run unseen. Their lines count where a test starts a process without the compiler.
    """
    session.install(".[test]", "coverage>=7.10")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    session.run("coverage", "combine")
    session.run("coverage", "report")


@nox.session(python=LOWEST_PYTHON)
def docs(session: nox.Session) -> None:
    """Run the course, and build the documentation into ``docs/_build/html``; a warning is an error."""
    session.install(".[docs]")
    session.run("python", "docs/course/run.py")
    session.run("sphinx-build", "-q", "-W", "--keep-going", "docs", "docs/_build/html", *session.posargs)


@nox.session(python=LOWEST_PYTHON)
def lint(session: nox.Session) -> None:
    """Check style, types and workflows: the hooks of ``.pre-commit-config.yaml``."""
    session.install(".[dev]")
    session.run("pre-commit", "run", "--all-files", "--show-diff-on-failure")


@nox.session(python=LOWEST_PYTHON)
def package(session: nox.Session) -> None:
    """Build sdist and wheel, and try them with each Python; ``-- --keep dist`` keeps them."""
    session.install(*PROJECT["project"]["optional-dependencies"]["package"])
    session.run("python", ".ci/package.py", *session.posargs)
