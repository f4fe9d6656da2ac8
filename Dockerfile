# SPDX-License-Identifier: EUPL-1.2
# Two stages, one base image given as an argument, so that it can be built off line from a local base:
#   docker build --build-arg BASE=registry.local/python:3.11 -t herse .
#   docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
#     -v /srv/herse/etc:/etc/herse:ro -v herse-state:/var/lib/herse -p 8443:8443 herse
# The wheels come from the hash locks alone; an own index or a folder of wheels is given as a build argument
# (PIP_INDEX_URL, PIP_FIND_LINKS).
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS wheels
ARG PIP_INDEX_URL
ARG PIP_FIND_LINKS
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements.txt requirements-build.txt ./
RUN python3 -m venv /opt/builder \
 && /opt/builder/bin/pip install --require-hashes --requirement requirements-build.txt \
 && python3 -m venv /opt/herse \
 && /opt/herse/bin/pip install --require-hashes --only-binary :all: --requirement requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY gateway ./gateway
RUN /opt/builder/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && /opt/herse/bin/pip install --no-deps --no-index dist/*.whl \
 && /opt/herse/bin/pip uninstall --yes pip setuptools \
 && /opt/herse/bin/python -m compileall -q /opt/herse/lib

FROM ${BASE}
RUN groupadd --gid 10001 herse \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin herse \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/herse \
 && install -d -m 0755 /etc/herse
COPY --from=wheels /opt/herse /opt/herse
ENV PATH=/opt/herse/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /var/lib/herse
VOLUME ["/var/lib/herse"]
EXPOSE 8443
STOPSIGNAL SIGTERM
ENTRYPOINT ["herse"]
CMD ["serve", "--config", "/etc/herse/herse.toml"]
