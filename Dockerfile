# syntax=docker/dockerfile:1

# Build and install give the same files for every architecture, because classic-level has the binaries of all. So both
# stages run on the builder's own architecture, and nothing is emulated.
FROM --platform=$BUILDPLATFORM node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY scripts/build.ts scripts/check-node.mjs scripts/
COPY src src/
RUN npm run -s build

FROM --platform=$BUILDPLATFORM node:24-bookworm-slim AS production
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

# Node and its C++ library, but no shell and no package manager.
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
# The heap gets a share of the container's memory limit, and sockets, buffers and code the rest. Node has this option since
# 24.6. By default V8 sizes the space for young objects by the memory: from 1 MiB in a container of 512 MiB to 32 MiB on a
# large machine, two or three times over. If you set NODE_OPTIONS for something else, repeat both options.
# glibc gives each thread an arena of its own, and what one frees the others cannot use (mallopt(3), M_ARENA_MAX).
ENV NODE_ENV=production \
    NODE_OPTIONS="--max-old-space-size-percentage=70 --max-semi-space-size=8" \
    MALLOC_ARENA_MAX=2 \
    BACKLOG_SCALER_COMMIT=${COMMIT}
COPY --from=production /app/node_modules /app/node_modules/
COPY --from=build /src/dist /app/dist/
COPY package.json LICENSE /app/
COPY proto /app/proto/
# After COPY, whose folders belong to root. WORKDIR would give a new folder to the base image's user, who could then replace
# the program.
WORKDIR /app
# By number, because Kubernetes cannot check that a named user is not root.
USER 65532:65532
# gRPC, admin, ingest.
EXPOSE 6000 8080 8081
# With its full path, so that `docker run -w /work` can check files mounted there.
# V8 starts a full collection whenever some MiB of buffers have come, where the heap is small. Each body of a few MiB would
# cost one. Below this size of heap and buffers it starts none. Node does not take this option from NODE_OPTIONS.
ENTRYPOINT ["/nodejs/bin/node", "--initial-old-space-size=128", "/app/dist/main.js"]
CMD ["serve", "--config", "/etc/backlog-scaler/config.yaml"]
