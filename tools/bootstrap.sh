#!/bin/sh
# Makes .venv from the hash-locked requirements; does nothing when it is up to date. Needs Python 3.11 or newer with
# venv, and the network.
set -eu
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
stamp=.venv/.landlord-stamp
want=$(cat requirements/bootstrap.txt requirements/dev.txt pyproject.toml | cksum)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && exit 0

if ! command -v "$python" >/dev/null; then
    echo "landlord needs Python 3.11 or newer, and there is no $python: install it, or set PYTHON to one" >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "landlord needs Python 3.11 or newer, and $python is $("$python" -V): set PYTHON to a newer one" >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "$python can't make virtual environments: install its venv package" \
        "(Debian and Ubuntu: apt-get install python$version-venv)" >&2
    exit 1
fi

echo "making .venv with $("$python" -V) …"
# What an interrupted run left may be half an environment.
[ -f "$stamp" ] || rm -rf .venv
rm -f "$stamp"
[ -x .venv/bin/python ] || "$python" -m venv .venv
[ -x .venv/bin/uv ] || .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
    -r requirements/bootstrap.txt
.venv/bin/uv pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes requirements/bootstrap.txt requirements/dev.txt
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
echo "$want" >"$stamp"
