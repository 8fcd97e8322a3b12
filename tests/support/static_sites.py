"""The plug-in of examples/plugin-backend as its users have it: built, installed, and beside a web server."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from dev.net import LOOPBACK
from dev.paths import CHECKOUT

NAME = "static-sites"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and logs nothing."""

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def installed_with_a_web_server(folder: Path) -> Iterator[dict[str, str]]:
    """Build and install it below `folder`; gives the variables that a worker needs for it."""
    packages, root = folder / "packages", folder / "root"
    (root / "www").mkdir(parents=True)
    install(packages)
    with ThreadingHTTPServer((LOOPBACK, 0), partial(Quiet, directory=str(root / "www"))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield {
            "PYTHONPATH": str(packages),
            "STATIC_SITES_ROOT": str(root),
            "STATIC_SITES_URL": f"http://{LOOPBACK}:{server.server_port}",
        }
        server.shutdown()
        thread.join()


def install(target: Path) -> None:
    """Install the package, and nothing else, into a folder of its own."""
    uv = Path(sys.executable).with_name("uv")
    argv = [str(uv), "pip", "install", "--offline", "--quiet", "--no-deps", "--no-build-isolation"]
    argv += ["--python", sys.executable, "--target", str(target)]
    package = CHECKOUT / "examples" / "plugin-backend"
    ended = subprocess.run([*argv, str(package)], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
