# The service alone; the broker is a container of its own (docker-compose.yml).
FROM python:3.11.14-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    BROBYGGER_DATA=/var/lib/brobygger \
    BROBYGGER_GATEWAY_HOST=0.0.0.0

# A volume takes the owner of the folder that it is mounted on first.
RUN groupadd --system --gid 10001 brobygger \
    && useradd --system --create-home --uid 10001 --gid brobygger brobygger \
    && install --directory --owner brobygger --group brobygger --mode 0700 /var/lib/brobygger /var/lib/brobygger-letters \
        /handed/gateway /handed/worker-1 /handed/worker-2 /handed/deliverer \
    && install --directory --owner brobygger --group brobygger --mode 0750 /handed/kafka

WORKDIR /srv/brobygger
COPY requirements/run.txt requirements/run.txt
RUN python -m pip install --require-hashes -r requirements/run.txt

COPY pyproject.toml ./
COPY schemas schemas
COPY connectors connectors
COPY streams streams
COPY programmes programmes
COPY reference reference
COPY scenarios scenarios
# Editable, as `make setup` does it, so that programmes/, reference/ and scenarios/ are found beside the code.
RUN python -m pip install --no-deps --no-build-isolation --editable .

USER brobygger
VOLUME /var/lib/brobygger
EXPOSE 8460 8461
ENTRYPOINT ["brobygger"]
CMD ["--help"]
