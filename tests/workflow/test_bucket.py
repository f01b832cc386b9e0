"""Results shared by an S3 server, which moto runs on this machine: real runs of git, dvc and snakemake."""

from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from moto.core import set_initial_no_auth_action_count
from moto.server import ThreadedMotoServer

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("dvc")]

WEIGHTS = Path("results/demo/runs/fvae/seed-0/weights.safetensors")
SECRET = "a-secret-key"


@pytest.fixture
def server(monkeypatch):
    """The address of an S3 server with an empty bucket `shared`, and credentials in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    moto.start()
    host, port = moto.get_host_and_port()
    urlopen(Request(f"http://{host}:{port}/shared", method="PUT")).close()
    yield f"http://{host}:{port}"
    moto.stop()


def use_bucket(project, address):
    """Make the bucket DVC's remote."""
    project.ok("dvc", "remote", "add", "-f", "-d", "bucket", "s3://shared/fvae")
    project.ok("dvc", "remote", "modify", "bucket", "endpointurl", address)
    project.commit("a bucket")


def assert_one_line_says(cause, done):
    """A failed command of DVC names the cause in its first line, and shows neither a stack nor the secret."""
    assert done.returncode != 0
    assert cause in done.stderr.splitlines()[0]
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_what_one_clone_pushes_another_pulls_and_runs_nothing(finished, server, tmp_path):
    project = finished.copy(tmp_path / "copy")
    use_bucket(project, server)
    project.ok("dvc", "push")
    elsewhere = project.clone(tmp_path / "clone")

    refused = set_initial_no_auth_action_count(0)(elsewhere.run)("dvc", "pull")  # the server checks credentials
    assert_one_line_says("Forbidden", refused)
    assert not (elsewhere.folder / WEIGHTS).exists()

    elsewhere.ok("dvc", "pull")
    assert "3 stages are as dvc.lock says" in elsewhere.ok("python", "-m", "workflow.adopt")
    assert elsewhere.planned() == []
    assert (elsewhere.folder / WEIGHTS).read_bytes() == (project.folder / WEIGHTS).read_bytes()
    assert "up to date" in elsewhere.ok("dvc", "status")
    assert elsewhere.ok("git", "status", "--short") == ""


def test_a_server_that_is_not_there_is_named(finished, server, tmp_path):
    project = finished.copy(tmp_path / "copy")
    nowhere = "http://127.0.0.1:9"  # the port of `discard`, on which nothing listens
    use_bucket(project, nowhere)
    assert_one_line_says(f'Could not connect to the endpoint URL: "{nowhere}/shared', project.run("dvc", "push"))
