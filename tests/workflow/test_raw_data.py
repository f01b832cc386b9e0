"""Raw data: DVC keeps what is added to data/raw, and a change of it is noticed. Real runs of git, dvc and snakemake."""

import os
import shutil
import time

import numpy as np
import pytest
from PIL import Image

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("workflow")]

IMAGES = "data/demo/manifest.json"
FOLDER = "data/raw/faces"


def draw(folder, count, seed=0):
    """So many images of noise."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, pixels in enumerate(np.random.default_rng(seed).integers(0, 256, (count, 16, 16, 3), np.uint8)):
        Image.fromarray(pixels).save(folder / f"{seed}-{number}.png")


def use(project, path):
    """Let `demo` be about images that lie somewhere."""
    split = {"kind": "hash", "validation": 0.2, "test": 0.2}
    data = {"kind": "images", "path": path, "size": 16, "bits": 8, "crop": "center", "filter": "lanczos"}
    project.edit(data=data | {"split": split, "limit": None, "max_rejected": 0.01})


@pytest.fixture
def repository(fresh, tmp_path):
    """The tiny project under git, with a place to push to."""
    project = fresh.copy(tmp_path / "project")
    project.ok("git", "init", "-q", "-b", "main")
    project.be_someone()
    project.ok("dvc", "remote", "add", "-d", "store", str(tmp_path / "store"))
    project.commit("everything")
    return project


@pytest.mark.parametrize("name", ["faces.zip", "faces", "sets/a/faces"])
def test_raw_data_that_was_added_comes_back(repository, tmp_path, name):
    """A file, a folder and a nested folder: add, push, delete, pull, checkout, collect garbage.

    `dvc checkout` and `dvc pull` fail at the end for stages that never ran here; raw data must be there all the same.
    """
    raw = repository.folder / "data/raw" / name
    if name.endswith(".zip"):
        raw.write_bytes(bytes(range(256)) * 100)
    else:
        draw(raw, 3)

    def content():
        files = [raw] if raw.is_file() else sorted(raw.iterdir())
        return [file.read_bytes() for file in files]

    before = content()
    repository.ok("dvc", "add", f"data/raw/{name}")
    repository.commit("raw data")
    assert f"data/raw/{name}.dvc" in repository.ok("git", "ls-files")
    repository.ok("dvc", "push")
    repository.run("dvc", "checkout")
    assert content() == before
    repository.ok("dvc", "gc", "-w", "-f")
    shutil.rmtree(raw) if raw.is_dir() else raw.unlink()
    repository.run("dvc", "checkout")
    assert content() == before
    elsewhere = type(repository)(tmp_path / "clone")
    repository.ok("git", "clone", "-q", ".", str(elsewhere.folder))
    raw = elsewhere.folder / "data/raw" / name
    elsewhere.run("dvc", "pull")
    assert content() == before


def test_raw_data_that_was_imported_comes_back(repository, tmp_path):
    source = tmp_path / "published.zip"
    source.write_bytes(b"an archive")
    repository.ok("dvc", "import-url", str(source), "data/raw/published.zip")
    repository.commit("imported")
    repository.ok("dvc", "push")
    raw = repository.folder / "data/raw/published.zip"
    raw.unlink()
    shutil.rmtree(repository.folder / ".dvc/cache")
    repository.run("dvc", "pull")
    assert raw.read_bytes() == b"an archive"


def test_a_clone_without_the_raw_data_says_dvc_pull(repository):
    draw(repository.folder / FOLDER, 3)
    repository.ok("dvc", "add", FOLDER)
    shutil.rmtree(repository.folder / FOLDER)
    use(repository, FOLDER)
    refused = repository.run("snakemake", "-n", IMAGES)
    assert refused.returncode != 0
    assert f"dvc pull {FOLDER}.dvc" in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr


@pytest.fixture(scope="module")
def prepared(fresh, tmp_path_factory):
    """The tiny project with sixty images of its own, prepared."""
    project = fresh.copy(tmp_path_factory.mktemp("prepared") / "project")
    draw(project.folder / FOLDER, 60)
    use(project, FOLDER)
    project.ok("snakemake", "--cores", "1", IMAGES)
    assert project.planned(IMAGES) == []
    return project


def overwrite_in_place(folder):
    file = next(folder.glob("*.png"))
    state = file.stat()
    draw(folder.parent / "other", 1, seed=5)
    file.write_bytes((folder.parent / "other/5-0.png").read_bytes())
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns - 10**12))


def add_in_a_subfolder(folder):
    draw(folder / "more/inside", 1, seed=6)


def replace_by_an_older_folder(folder):
    shutil.rmtree(folder)
    draw(folder, 60, seed=7)
    long_ago = time.time() - 10**7
    for path in (*folder.iterdir(), folder):
        os.utime(path, (long_ago, long_ago))


def add_a_partition_list(folder):
    names = sorted(file.name for file in folder.iterdir())
    (folder / "list_eval_partition.txt").write_text("".join(f"{name} 0\n" for name in names))


@pytest.mark.parametrize(
    "change", [overwrite_in_place, add_in_a_subfolder, replace_by_an_older_folder, add_a_partition_list]
)
def test_changed_raw_data_is_noticed(prepared, tmp_path, change):
    project = prepared.copy(tmp_path / "copy")
    change(project.folder / FOLDER)
    assert project.planned(IMAGES) == ["prepare"]


def test_another_archive_with_an_older_time_is_noticed(prepared, tmp_path):
    project = prepared.copy(tmp_path / "copy")
    archive = project.folder / "data/raw/faces.zip"
    shutil.make_archive(str(archive.with_suffix("")), "zip", project.folder / FOLDER)
    use(project, "data/raw/faces.zip")
    project.ok("snakemake", "--cores", "1", IMAGES)
    assert project.planned(IMAGES) == []
    draw(project.folder / "other", 60, seed=8)
    other = shutil.make_archive(str(tmp_path / "other"), "zip", project.folder / "other")
    os.utime(other, (10**9, 10**9))
    shutil.copy2(other, archive)
    assert project.planned(IMAGES) == ["prepare"]


def test_new_times_of_the_same_raw_data_change_nothing(prepared, tmp_path):
    project = prepared.copy(tmp_path / "copy")
    for file in (project.folder / FOLDER).iterdir():
        os.utime(file)
    assert project.planned(IMAGES) == []


def test_dvc_notices_changed_raw_data(repository):
    draw(repository.folder / FOLDER, 60)
    use(repository, FOLDER)
    repository.ok("dvc", "repro", "data@demo")
    assert "data@demo" not in repository.ok("dvc", "status", "data@demo")
    draw(repository.folder / FOLDER, 1, seed=9)
    assert "data/raw" in repository.ok("dvc", "status", "data@demo")
