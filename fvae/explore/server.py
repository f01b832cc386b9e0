"""The server of the page: a few addresses that answer with JSON or PNG, only for this machine.

All files of the page lie in `static`, and its content security policy forbids others. A request that names another host
(DNS rebinding), or that the page of another site makes, is refused.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from fvae.errors import UserError, memory_is_full
from fvae.explore import queries, samples
from fvae.explore.catalogue import Catalogue
from fvae.explore.directions import moved
from fvae.explore.film import film, frame
from fvae.explore.interpolation import interpolation
from fvae.explore.pictures import data_url, png
from fvae.explore.queries import checked
from fvae.explore.reconstruction import HIGH, LOW, legend, reconstruction
from fvae.explore.uploads import MAX_BYTES

HOST = "127.0.0.1"
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def create_app(catalogue: Catalogue) -> Flask:
    """The page of an experiment. One request at a time computes, since the models are shared."""
    app = Flask(__name__, static_folder="static", static_url_path="/static")
    app.config.update(TRUSTED_HOSTS=[HOST, "localhost"], MAX_CONTENT_LENGTH=MAX_BYTES)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    computing = threading.Lock()

    def serve(rule: str, answer: Callable[[], Response], method: str = "GET") -> None:
        def view() -> Response:
            with computing:
                return answer()

        app.add_url_rule(f"/api/{rule}", rule, view, methods=[method])

    for rule, answer in answers(catalogue).items():
        serve(rule, answer)
    serve("uploads", lambda: upload(catalogue), "POST")
    app.add_url_rule("/", "page", lambda: app.send_static_file("page.html"))
    app.before_request(refuse_other_sites)
    app.after_request(with_headers)
    app.register_error_handler(UserError, lambda error: failure(str(error), 400))
    app.register_error_handler(HTTPException, refusal)
    app.register_error_handler(Exception, unexpected(app))
    return app


def answers(catalogue: Catalogue) -> dict[str, Callable[[], Response]]:
    """What is answered at each address under /api, from the arguments of the current request."""

    def describe() -> Response:
        return jsonify(catalogue.describe() | {"map": {"legend": legend(), "low": LOW, "high": HIGH}})

    def image() -> Response:
        return picture(catalogue.image(request.args.get("image", "")).transpose(1, 2, 0))

    def sampled() -> Response:
        asked = checked(queries.Samples, request.args)
        trained = catalogue.model(asked.model, asked.run)
        return picture(samples.samples(trained, asked.rows, asked.temperature, asked.seed))

    def saved() -> Response:
        asked = checked(queries.Saved, request.args)
        name, content = samples.saved(
            catalogue, asked.models.split(","), asked.run, asked.rows, asked.temperature, asked.seed
        )
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, mimetype="image/png", headers=headers)

    def interpolated() -> Response:
        asked = checked(queries.Interpolation, request.args)
        images = np.stack([catalogue.image(reference) for reference in asked.images.split(",")[:4]])
        return picture(interpolation(catalogue.model(asked.model, asked.run), images, asked.steps, asked.form))

    def reconstructed() -> Response:
        asked = checked(queries.Reconstruction, request.args)
        trained = catalogue.model(asked.model, asked.run)
        return jsonify(reconstruction(trained, catalogue.image(asked.image)))

    def directed() -> Response:
        asked = checked(queries.Directions, request.args)
        trained, known = catalogue.model(asked.model, asked.run), catalogue.directions(asked.model, asked.run)
        return picture(moved(trained, catalogue.image(asked.image), known, asked.amounts).transpose(1, 2, 0))

    def films() -> Response:
        asked = checked(queries.Query, request.args)
        return jsonify(film(catalogue.run(asked.model, asked.run), catalogue.experiment.training.batch_size))

    def frames() -> Response:
        asked = checked(queries.Frame, request.args)
        return picture(frame(catalogue.run(asked.model, asked.run), asked.step, catalogue.experiment.data.size))

    return {
        "experiment": describe,
        "image": image,
        "samples": sampled,
        "saved": saved,
        "interpolation": interpolated,
        "reconstruction": reconstructed,
        "directions": directed,
        "film": films,
        "frame": frames,
    }


def upload(catalogue: Catalogue) -> Response:
    """Keep the image that is the content of the request."""
    reference, note = catalogue.uploads.add(request.get_data())
    return jsonify({"image": reference, "note": note, "address": data_url(catalogue.image(reference))})


def picture(pixels: np.ndarray) -> Response:
    """uint8 (H, W, 3 or 4) as an answer."""
    return Response(png(pixels), mimetype="image/png")


def failure(line: str, status: int) -> Response:
    """One line that the page shows in place of what was asked for."""
    answer = jsonify({"error": line})
    answer.status_code = status
    return answer


def refuse_other_sites() -> Response | None:
    """Refuse requests to /api that a browser says come from the page of another site."""
    comes_from = request.headers.get("Sec-Fetch-Site", "none")
    if request.path.startswith("/api/") and comes_from not in ("same-origin", "none"):
        return failure("this address answers only its own page", 403)
    return None


def with_headers(answer: Response) -> Response:
    """The answer with headers by which no other page can use this one."""
    answer.headers.update(HEADERS)
    return answer


def refusal(error: HTTPException) -> Response:
    """What Flask itself refuses, such as an unknown address, in one line."""
    if isinstance(error, RequestEntityTooLarge):
        return failure(f"larger than {MAX_BYTES >> 20} MB; make it smaller", 413)
    return failure(f"{error.name}: {request.path}", error.code or 500)


def unexpected(app: Flask) -> Callable[[Exception], Response]:
    """The handler of all other errors: one line on the page, and the stack in the terminal."""

    def answer(error: Exception) -> Response:
        if memory_is_full(error):
            return failure("the memory is full; ask for fewer images", 500)
        app.logger.exception("while answering %s", request.full_path)
        return failure(f"an error of the program ({type(error).__name__}); the terminal shows more", 500)

    return answer
