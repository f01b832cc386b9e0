"""As much of the Hugging Face Hub as a download of a data set or of a model needs: a server of our own."""

import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    """One repository, whose files are {name: bytes}; `api` and `files` are the beginnings of its paths."""

    api: str
    files: str
    content: dict[str, bytes]
    asked: list[str]

    def answer(self, body, **headers):
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_GET(self):
        self.asked.append(self.path)
        path = self.path.split("?")[0]
        if path.startswith(f"{self.api}/revision/"):
            siblings = [{"rfilename": name, "size": len(data)} for name, data in self.content.items()]
            about = {"_id": "1", "id": "some/name", "sha": COMMIT, "private": False, "siblings": siblings}
            self.answer(json.dumps(about).encode(), Content_Type="application/json")
        elif path.startswith(f"{self.api}/tree/"):
            tree = []
            for name, data in self.content.items():
                large = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
                tree.append({"type": "file", "path": name, "size": len(data), "oid": "0", "lfs": large})
            self.answer(json.dumps(tree).encode(), Content_Type="application/json")
        elif (name := path.removeprefix(f"{self.files}/resolve/{COMMIT}/")) in self.content:
            data = self.content[name]
            self.answer(data, ETag=f'"{hashlib.sha256(data).hexdigest()}"', X_Repo_Commit=COMMIT)
        else:
            self.other(path)

    def other(self, path):
        self.send_error(404)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


@contextmanager
def serving(handler, **values):
    """The address of a server with a handler class that has these attributes."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (handler,), values))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
