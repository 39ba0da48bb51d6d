# syntax=docker/dockerfile:1
#
# docker build -t mintkeeper .
# docker run --rm mintkeeper --help

FROM node:24.21.0-trixie-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
# Install scripts fetch programs that only the demo and the tests need.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/bundle.ts ./scripts/
COPY src ./src
RUN npm run prepare
# A new volume takes over the owner and the mode of the folder that it is mounted on.
RUN mkdir -p /state/private /state/public && chmod 700 /state/private

# Node.js and what it needs to run: no shell, no package manager.
FROM gcr.io/distroless/nodejs24-debian13:nonroot
ARG GIT_HASH=unknown
ARG BUILD_TIME=unknown
ENV NODE_ENV=production MINTKEEPER_GIT_HASH=$GIT_HASH MINTKEEPER_BUILD_TIME=$BUILD_TIME
COPY package.json LICENSE /app/
COPY schema /app/schema
COPY --from=build /build/bin /app/bin
COPY --from=build --chown=65532:65532 /state /var/lib/mintkeeper
# Rules and keys that a config names relatively are looked for beside it.
WORKDIR /etc/mintkeeper
USER 65532:65532
# Proxy, API, metrics (9000 unless the config says otherwise).
EXPOSE 4455 4456 9000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --start-interval=1s --retries=3 \
  CMD ["/nodejs/bin/node", "/app/bin/mintkeeper.cjs", "health", "ready", "-e", "http://127.0.0.1:4456"]
ENTRYPOINT ["/nodejs/bin/node", "/app/bin/mintkeeper.cjs"]
CMD ["serve", "-c", "/etc/mintkeeper/mintkeeper.yaml"]
