# Not built by the project's checks, which run where there is no container engine: .github/workflows/ci.yaml builds and
# runs it.

# What is made is JavaScript alone, so it is made on the machine's own platform for all others.
FROM --platform=$BUILDPLATFORM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY scripts ./scripts
COPY src ./src
RUN npm run build

# Node and what it needs, with neither shell nor package manager: nothing to update but Node itself. Slim would bring
# both along, which nothing here uses; alpine's libc is not the one that Node's own releases are tested with.
FROM gcr.io/distroless/nodejs24-debian12:nonroot
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="authentik-graphql" \
      org.opencontainers.image.description="A typed GraphQL gateway and Apollo Federation v2 subgraph in front of authentik's REST API" \
      org.opencontainers.image.source="https://github.com/authentik-graphql/authentik-graphql" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# Production refuses to start without AUTHENTIK_URL instead of showing the sandbox.
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
# Licences and SBOM are in dist.
COPY --from=build /app/package.json ./
COPY --from=build /app/dist ./dist
# A number, so that Kubernetes can tell that it is not root; nothing is written, so any other works too.
USER 65532:65532
EXPOSE 4000
# The sub-command follows HOST and PORT. It asks whether the process lives, not whether authentik does.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["/nodejs/bin/node", "/app/dist/main.js", "health"]
# Node is the first process, so that signals arrive: the gateway drains on SIGTERM.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/nodejs/bin/node", "--min-semi-space-size=16", "--max-semi-space-size=32", "--no-allocation-site-pretenuring", "/app/dist/main.js"]
CMD ["serve"]
