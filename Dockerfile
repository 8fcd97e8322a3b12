# landlord: one image, two programs (`operator` and `worker` are arguments). BASE_IMAGE is any image with Python 3.11 or
# newer and pip. pip reads the base's /etc/pip.conf, which can name another index than PyPI.
ARG BASE_IMAGE=python:3.13-slim-trixie

FROM ${BASE_IMAGE} AS build
ENV PIP_COMPILE=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN pip install --require-hashes -r requirements/build.txt \
    && python -m venv --without-pip /opt/landlord \
    && pip --python /opt/landlord/bin/python install --require-hashes -r requirements/runtime.txt
COPY . .
RUN pip wheel --no-build-isolation --no-deps --wheel-dir dist . \
    && pip --python /opt/landlord/bin/python install --no-index --no-deps dist/*.whl \
    && /opt/landlord/bin/python -P dev/image.py

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="landlord" \
      org.opencontainers.image.description="Provisions the tenants of SaaS platforms through a durable Restate workflow" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/landlord /opt/landlord
ENV PATH=/opt/landlord/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# A number, because Kubernetes can't tell whether a name is root's.
USER 65532:65532
EXPOSE 8000 9080
ENTRYPOINT ["landlord"]
