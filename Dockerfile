# syntax=docker/dockerfile:1

# What is built and installed is the same for every architecture (classic-level brings the binaries of all),
# so both stages run on the builder's own and nothing is emulated.
FROM --platform=$BUILDPLATFORM node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/clean.mjs scripts/copy-page.mjs scripts/
COPY src src/
RUN npm run -s build

FROM --platform=$BUILDPLATFORM node:24-bookworm-slim AS production
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

# Node and the C++ library it needs: no shell, no package manager.
FROM gcr.io/distroless/nodejs24-debian13:nonroot
ARG VERSION=0.0.0
ARG COMMIT=unknown
ARG CREATED=1970-01-01T00:00:00Z
ARG SOURCE=
LABEL org.opencontainers.image.title="backlog-scaler" \
      org.opencontainers.image.description="A KEDA external scaler that wakes workloads on the event and sizes them by their backlog" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}"
# The heap is a share of the container's memory limit, whatever it is; the rest is sockets, buffers and code. Node has
# that option since 24.6. The space for young objects V8 would choose by the memory: from 1 MiB in a container of 512 MiB to
# 32 MiB on a large machine, of which it takes two or three. Who sets NODE_OPTIONS for something else repeats both.
ENV NODE_ENV=production \
    NODE_OPTIONS="--max-old-space-size-percentage=70 --max-semi-space-size=4" \
    BACKLOG_SCALER_COMMIT=${COMMIT}
COPY --from=production /app/node_modules /app/node_modules/
COPY --from=build /src/dist /app/dist/
COPY package.json LICENSE /app/
COPY proto /app/proto/
# After what COPY makes, which is root's: WORKDIR would give a new folder to the base image's user, who could then
# replace what it runs.
WORKDIR /app
# By number: Kubernetes cannot tell that a user by name is not root.
USER 65532:65532
# gRPC, admin, ingest.
EXPOSE 6000 8080 8081
# By its whole path: `docker run -w /work` has it check what is mounted there.
ENTRYPOINT ["/nodejs/bin/node", "/app/dist/main.js"]
CMD ["serve", "--config", "/etc/backlog-scaler/config.yaml"]
