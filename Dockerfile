# payproof without the integration's runtime: add that in an image of your own (docs/ci.md).
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY contracts contracts
COPY simulator simulator
COPY reports reports
COPY suites suites
RUN python -m venv /opt/payproof && /opt/payproof/bin/pip install --no-cache-dir .

FROM python:3.13-slim
COPY --from=build /opt/payproof /opt/payproof
RUN useradd --create-home --uid 1000 payproof \
    && ln -s /opt/payproof/bin/payproof /usr/local/bin/payproof \
    && install -d -o payproof -g payproof /work
USER 1000
WORKDIR /work
ENV PYTHONUNBUFFERED=1
ENTRYPOINT ["payproof"]
CMD ["selftest"]
