"""The `explore` command: a page in the browser to play with the trained models of an experiment."""

from __future__ import annotations

import logging
import socket
import webbrowser
from importlib.util import find_spec

from fvae.errors import UserError
from fvae.params import load


def run(experiment_name: str, port: int, *, browser: bool) -> None:
    """Serve the page until Ctrl-C, only on this machine, and open it in the browser.

    Raises UserError where there is no such experiment, where the port is taken, and where Flask is missing.
    """
    experiment = load().experiment(experiment_name)
    if find_spec("flask") is None:
        raise UserError("explore: flask must be installed; the extra `explore` has it")
    from werkzeug.serving import make_server

    from fvae.explore.catalogue import Catalogue
    from fvae.explore.server import HOST, create_app

    with listening(HOST, port) as server_socket:
        chosen = server_socket.getsockname()[1]
        app = create_app(Catalogue(experiment_name, experiment))
        logging.getLogger("werkzeug").setLevel(logging.WARNING)  # else it prints every request
        server = make_server(HOST, chosen, app, threaded=True, fd=server_socket.fileno())
        address = f"http://{HOST}:{chosen}/"
        print(f"{experiment_name}: {address} (Ctrl-C ends it)", flush=True)
        if browser:
            webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
        finally:
            server.server_close()


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens at a port, or at any free one for 0. Raises UserError where it cannot."""
    try:
        return socket.create_server((host, port))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"--port: {port} cannot be used ({reason}); --port 0 takes any free one") from error
