"""Build what is released, and use it as those do who install it.

    python .ci/package.py              # in a temporary folder
    python .ci/package.py --keep dist  # and keep the sdist and the wheel

Builds the sdist and from it the wheel, compares both with the files of the repository, and checks their metadata. Then,
with each Python that is installed, in an environment of its own away from the sources: installs the wheel, and types
what README's tour says. Needs build and twine (the extra ``package``).
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from packaging.metadata import Metadata
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
FACTS = "import sys; print(sys.version_info[0], sys.version_info[1], sys.base_prefix)"
INSTALLED = "import windrow, windrow.sklearn, windrow.viz; print(windrow.__version__, windrow.__file__)"


def main() -> None:
    """Build, compare, try."""
    parser = argparse.ArgumentParser(description="Build what is released, and try it with every Python.")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the sdist and the wheel there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sdist, wheel = build(Path(folder))
        metadata = check_metadata(sdist, wheel)
        compare(sdist, wheel, metadata)
        pythons = [python for python, version in interpreters() if metadata.requires_python.contains(version)]
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            for report in threads.map(lambda python: use(wheel, python, metadata.version, Path(folder)), pythons):
                print(report, flush=True)
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            for archive in (sdist, wheel):
                shutil.copy2(archive, options.keep)


def run(*command: str | Path, **options: object) -> str:
    """What a command prints; if it fails, that is shown."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


# --- what is built


def build(folder: Path) -> tuple[Path, Path]:
    """The sdist, and the wheel that is built from it."""
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


def check_metadata(sdist: Path, wheel: Path) -> Metadata:
    """The metadata of the wheel, if they are valid, and the page on PyPI can be shown and its links lead somewhere."""
    run(sys.executable, "-m", "twine", "check", "--strict", sdist, wheel)
    (name,) = (name for name in contents(wheel) if name.endswith(".dist-info/METADATA"))
    metadata = Metadata.from_email(contents(wheel)[name])
    relative = re.findall(r"\]\((?!https://)[^)]*\)", metadata.description)
    if relative:
        sys.exit(f"links that lead nowhere on PyPI: {' '.join(relative)}")
    return metadata


def contents(archive: Path) -> dict[str, bytes]:
    """The files of an sdist, whose names begin with the folder in it, or of a wheel."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist()}
    with tarfile.open(archive) as sdist:
        return {member.name: sdist.extractfile(member).read() for member in sdist if member.isfile()}


def compare(sdist: Path, wheel: Path, metadata: Metadata) -> None:
    """The sdist holds what the repository holds, the wheel the package and its license, both to the byte."""
    release = f"{metadata.name}-{metadata.version}"
    source, package = contents(sdist), contents(wheel)
    source.pop(f"{release}/PKG-INFO")
    if (ROOT / ".git").exists():
        tracked = run("git", "-C", ROOT, "ls-files", "-z").split("\0")[:-1]
        expect(sdist, source, {f"{release}/{name}": (ROOT / name).read_bytes() for name in tracked})
    else:
        print("no repository here to compare the sdist with")
    prefix, info = f"{release}/src/", f"{release}.dist-info"
    expected = {name.removeprefix(prefix): data for name, data in source.items() if name.startswith(prefix)}
    expected[f"{info}/licenses/LICENSE"] = source[f"{release}/LICENSE"]
    made = {f"{info}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")}
    expect(wheel, {name: data for name, data in package.items() if name not in made}, expected)
    print(f"{sdist.name}: {len(source)} files, {wheel.name}: {len(package)} files", flush=True)


def expect(archive: Path, found: dict[str, bytes], expected: dict[str, bytes]) -> None:
    """End unless two sets of files are equal."""
    differences = {
        "lacks": expected.keys() - found.keys(),
        "should not have": found.keys() - expected.keys(),
        "has another": {name for name in found.keys() & expected.keys() if found[name] != expected[name]},
    }
    lines = [f"{archive.name} {what} {' '.join(sorted(names))}" for what, names in differences.items() if names]
    if lines:
        sys.exit("\n".join(lines))


# --- what is installed


def interpreters() -> list[tuple[Path, Version]]:
    """This Python, and each on the PATH and of pyenv once, with its version."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    places = [*map(Path, os.get_exec_path()), *pyenv.glob("versions/*/bin")]
    programs = [Path(sys.executable)]
    for place in places:
        programs += [path for path in sorted(place.glob("python3*")) if re.fullmatch(r"python3(\.\d+)?", path.name)]
    found = {}
    for program in programs:
        asked = subprocess.run([program, "-c", FACTS], capture_output=True, text=True, check=False)
        if asked.returncode == 0:  # a shim of a Python that is not there fails
            major, minor, home = asked.stdout.split(maxsplit=2)
            found.setdefault(home, (program, Version(f"{major}.{minor}")))
    return sorted(found.values(), key=lambda pair: pair[1])


def use(wheel: Path, python: Path, version: Version, folder: Path) -> str:
    """Install the wheel with a Python, and follow README; what was done, as a line."""
    started = time.monotonic()
    home = Path(tempfile.mkdtemp(dir=folder))
    run(python, "-m", "venv", "--without-pip", home / "venv")
    programs = home / "venv" / ("Scripts" if os.name == "nt" else "bin")
    pip = [sys.executable, "-m", "pip", "--python", programs / "python"]
    run(*pip, "install", "--quiet", "--no-compile", f"{wheel}[viz]")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment |= {"PATH": f"{programs}{os.pathsep}{environment['PATH']}"}
    environment |= {"WINDROW_CACHE_DIR": str(home / "kernels"), "TMPDIR": str(home)}  # no left-overs of other runs
    told = run(programs / "windrow", "--version", cwd=home, env=environment)
    installed, place = run(programs / "python", "-c", INSTALLED, cwd=home, env=environment).split(maxsplit=1)
    if not (told.split()[-1] == installed == str(version) and Path(place.strip()).is_relative_to(home)):
        sys.exit(f"{told}{installed} in {place} is not windrow {version} in {home}")
    read_page = [programs / "python", "-m", "tests.docs.pages", ROOT / "README.md"]
    run(*read_page, cwd=home, env={**environment, "PYTHONPATH": str(ROOT)})  # the package is in src, so it is not found
    about = run(programs / "python", "-VV").strip()
    return f"{about}: installed, and did what README says, in {time.monotonic() - started:.0f} s"


if __name__ == "__main__":
    main()
