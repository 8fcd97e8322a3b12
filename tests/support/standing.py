"""`make test-up` and `make test-down`: a control plane that outlives test runs."""

import sys

from tests.support.session import standing_control_plane


def main(command: str) -> None:
    """Start it if it does not run, or end it."""
    plane = standing_control_plane()
    if command == "down":
        plane.delete()
    elif not plane.healthy():
        plane.start()


if __name__ == "__main__":
    main(sys.argv[1])
