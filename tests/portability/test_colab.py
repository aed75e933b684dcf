"""A page runs on Colab: its own first cell installs the package from the repository, and nothing else is there.

What is Colab's own is as there: the versions of ``colab.txt``, a kernel that has ``google.colab`` imported, an empty
folder. What is not: its machine, its network, and the address of the repository, which is a folder here.
"""

from __future__ import annotations

import shutil
import subprocess
from importlib.metadata import requires
from pathlib import Path

import nbformat
import pytest
from course import ROOT, command
from elsewhere import Environment, assert_good, by_extras, python
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

COLAB = ROOT / "tests/portability/colab.txt"
# Without --all-pages: Keras and data; the sentence encoder, whose weights come along; servers and a store.
FEW = ["1-data-representation/hashed_feature", "1-data-representation/wrap_up", "4-resilient-serving/wrap_up"]

# What the course asks for by name. What that asks for in its turn changes with what the registry has on the day.
NAMED = {canonicalize_name(Requirement(text).name) for text in requires("mlcourse") or []}
# Of it, what an extra has to bring in a newer version than Colab's.
RENEWED = {"pipelines": {"protobuf"}, "transform": {"keras", "protobuf", "tensorboard", "tensorflow"}}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository of this course as it is now, which knows its own address."""
    folder = tmp_path / "repository"
    git = ["git", "-c", "user.name=A learner", "-c", "user.email=learner@example.org"]
    listed = subprocess.run(
        [*git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    for step in (
        command("address", folder.as_uri()),
        [*git, "init", "--quiet"],
        [*git, "add", "--all"],
        [*git, "commit", "--quiet", "--no-verify", "--message=The course"],
    ):
        subprocess.run(step, cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def colab(tmp_path: Path) -> Environment:
    environment = Environment(tmp_path / "env", python("3.13"), "--requirements", str(COLAB))
    package = site_packages(environment) / "google" / "colab"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "colab.py").write_text("import google.colab\n")
    return environment


def site_packages(environment: Environment) -> Path:
    (folder,) = environment.folder.glob("lib/python3.*/site-packages")
    return folder


@pytest.mark.usefixtures("registry")
def test_pages_install_what_they_need_and_run(
    tmp_path: Path, repository: Path, colab: Environment, every_page: bool, extras: tuple[str, ...]
) -> None:
    before = colab.versions()
    assert "mlcourse" not in before
    assert {"numpy", "pandas", "scikit-learn", "tensorflow"} <= NAMED & before.keys()
    content = tmp_path / "content"
    content.mkdir()
    env = {"IPYTHONDIR": str(tmp_path / "ipython"), "PIP_ROOT_USER_ACTION": "ignore"}
    everything = [page.relative_to(ROOT / "notebooks").with_suffix("").as_posix() for page in by_extras()[extras]]
    for name in everything if every_page else FEW:
        notebook = nbformat.read(repository / "notebooks" / f"{name}.ipynb", 4)
        assert f"git+{repository.as_uri()}" in notebook.cells[1].source
        notebook.cells.append(nbformat.v4.new_code_cell(
            "import mlcourse, mlcourse.datasets.files\nprint(mlcourse.__file__, mlcourse.datasets.files.data_folder())"
        ))  # fmt: skip
        colab.run(notebook, content, env)
        assert_good(notebook)
        package = site_packages(colab) / "mlcourse"
        assert notebook.cells[-1].outputs[0].text.split() == [str(package / "__init__.py"), str(package / "data")]
        assert not list(content.iterdir()), "a page leaves nothing behind"
    after = colab.versions()
    changed = {name for name in NAMED & before.keys() if after.get(name) != before[name]}
    assert changed <= set().union(*(RENEWED.get(extra, set()) for extra in extras)), "Colab's versions are used"
