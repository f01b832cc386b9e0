"""What the server answers, and what it refuses."""

import io
import json
import os

import numpy as np
import pytest
from PIL import Image

from fvae import provenance
from fvae.explore import server
from fvae.explore.catalogue import Catalogue


def picture(answer):
    """The pixels of an answer."""
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "image/png"
    return np.asarray(Image.open(io.BytesIO(answer.data)))


def refused(answer, status=400):
    """The one line of a refusal."""
    assert answer.status_code == status
    line = answer.json["error"]
    assert "\n" not in line
    return line


def test_the_page_and_its_files_are_served(client):
    page = client.get("/").text
    for name in ("page.css", "page.js", "icon.svg"):
        assert f"/static/{name}" in page
        assert client.get(f"/static/{name}").status_code == 200


def test_the_experiment_is_described(client):
    found = client.get("/api/experiment").json
    trained = {model["name"]: model["trained"] for model in found["models"]}
    assert trained == {"vae_dense": [0], "vae": [], "glow": [0], "fvae": [0], "fvae_reduced": [], "fvae_conv": []}
    vae = found["models"][1]
    assert vae["commands"] == {"0": "python -m fvae train --experiment demo --model vae"}
    assert found["held_out"] == 20
    assert found["held_out_problem"] is None
    assert found["first_films"] == ["vae_dense", "glow", "fvae"]


@pytest.mark.parametrize("model", ["vae_dense", "glow", "fvae"])
def test_samples_are_those_of_the_library(client, catalogue, model):
    shown = picture(client.get(f"/api/samples?model={model}&rows=2&temperature=0.7&seed=3"))
    expected = catalogue.model(model, 0).sample(6, 0.7, 3)
    np.testing.assert_array_equal(shown[34:66, 34:66, :3], expected[4].transpose(1, 2, 0))


def test_saved_samples_say_what_they_are(client, tmp_path):
    answer = client.get("/api/saved?models=glow,fvae&rows=2&temperature=0.7&seed=3")
    assert 'filename="demo-samples-T0.7-seed3.png"' in answer.headers["Content-Disposition"]
    picture(answer)
    file = tmp_path / "saved.png"
    file.write_bytes(answer.data)
    found = provenance.read(file)
    assert found["samples"] == {"models": ["glow", "fvae"], "temperature": 0.7, "seed": 3, "images": 6}
    assert set(found["runs"]) == {"glow/seed-0", "fvae/seed-0"}
    assert found["experiment"] == "demo"


def test_a_reconstruction_has_its_images_and_its_bits(client, catalogue):
    found = client.get("/api/reconstruction?model=glow&image=held-3").json
    assert found["exact"]
    assert found["mean_difference"] < 1
    assert found["bits"] == pytest.approx(
        catalogue.model("glow", 0).bits_per_dim(catalogue.image("held-3"))[0], abs=1e-4
    )
    assert all(found[name].startswith("data:image/png;base64,") for name in ("reconstruction", "difference", "map"))


def test_directions_change_an_image(client):
    def asked(**amounts):
        query = {"model": "fvae", "image": "held-3", "amounts": json.dumps(amounts)}
        return picture(client.get("/api/directions", query_string=query))

    assert not np.array_equal(asked(), asked(glasses=2))


def test_an_upload_is_reconstructed(client):
    content = io.BytesIO()
    Image.new("RGB", (50, 40), "brown").save(content, "JPEG")
    answer = client.post("/api/uploads", data=content.getvalue()).json
    assert client.get(f"/api/reconstruction?model=glow&image={answer['image']}").status_code == 200


def test_a_film_and_its_frames(client):
    steps = [sheet["step"] for sheet in client.get("/api/film?model=fvae").json]
    assert picture(client.get(f"/api/frame?model=fvae&step={steps[-1]}")).shape[:2] == (168, 168)


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("samples?model=vae", "VAE is not trained yet: python -m fvae train --experiment demo --model vae"),
        ("samples?model=none", "model: 'none' is not one of"),
        ("samples?model=glow&run=7", "run: 7 is not one of 0"),
        ("samples?model=glow&temperature=nan", "temperature: "),
        ("samples?model=glow&temperature=9", "temperature: input should be less than or equal to 2"),
        ("samples?model=glow&rows=9999", "rows: "),
        ("samples?model=glow&seed=-1", "seed: "),
        ("samples?model=glow&other=1", "other: "),
        ("samples", "model: field required"),
        ("saved?models=glow,vae", "VAE is not trained yet"),
        ("image?image=held-20", "image: 'held-20' is not one of held-0 to held-19"),
        ("image?image=../../etc/passwd", "is not one of"),
        ("image?image=own-99", "no longer kept"),
        ("interpolation?model=glow&images=held-0", "choose at least two"),
        ("interpolation?model=glow&images=held-0,held-1&form=grid", "a grid needs four"),
        ("directions?model=glow&image=held-0&amounts={", "amounts: invalid json"),
        ('directions?model=glow&image=held-0&amounts={"charm":1}', "amounts: 'charm' is not one of glasses"),
        ("film?model=vae", "there is no live log"),
        ("film?model=none", "model: 'none' is not one of"),
    ],
)
def test_a_wrong_question_is_answered_in_one_line(client, address, line):
    assert line in refused(client.get(f"/api/{address}"))


def test_a_bad_upload_is_answered_in_one_line(client):
    assert "not an image" in refused(client.post("/api/uploads", data=b"text"))


def test_a_huge_upload_is_not_read(client, app, monkeypatch):
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 1000)
    assert "larger than" in refused(client.post("/api/uploads", data=bytes(2000)), 413)


def test_an_unknown_address_is_answered_in_one_line(client):
    assert refused(client.get("/api/nothing"), 404) == "Not Found: /api/nothing"


def test_an_error_of_the_program_is_answered_in_one_line(app, client, monkeypatch):
    def broken(*arguments):
        raise ZeroDivisionError

    monkeypatch.setattr(server, "film", broken)
    assert "ZeroDivisionError" in refused(client.get("/api/film?model=glow"), 500)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "[::1]"])
def test_another_host_is_refused(client, host):
    for address in ("/", "/static/page.js", "/api/experiment"):
        assert client.get(address, headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:9000", "localhost"])
def test_this_machine_is_answered(client, host):
    assert client.get("/api/experiment", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_the_pages_of_other_sites_are_refused(client, site):
    headers = {"Sec-Fetch-Site": site}
    refused(client.get("/api/experiment", headers=headers), 403)
    refused(client.post("/api/uploads", data=b"", headers=headers), 403)
    assert client.get("/", headers=headers).status_code == 200  # a link may lead here


def test_answers_forbid_everything_outside(client):
    policy = client.get("/").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'")
    assert "http" not in policy


def test_without_prepared_images_samples_remain(tmp_path, monkeypatch, catalogue):
    monkeypatch.chdir(tmp_path)
    client = server.create_app(Catalogue("demo", catalogue.experiment)).test_client()
    found = client.get("/api/experiment").json
    assert found["held_out"] == 0
    assert "python -m fvae prepare --experiment demo" in found["held_out_problem"]
    assert found["models"][0]["commands"]["0"].startswith("python -m fvae prepare --experiment demo && ")
    assert "prepare" in refused(client.get("/api/image?image=held-0"))


def test_a_model_that_was_trained_again_is_loaded_again(catalogue):
    before = catalogue.model("fvae", 0)
    assert catalogue.model("fvae", 0) is before
    weights = catalogue.run("fvae", 0).weights
    os.utime(weights, ns=(weights.stat().st_atime_ns, weights.stat().st_mtime_ns + 10**9))
    assert catalogue.model("fvae", 0) is not before
