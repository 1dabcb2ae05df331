# Not built by the project's checks: they run where there is no container engine.
FROM node:24-alpine AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY scripts ./scripts
COPY src ./src
RUN npm run build

FROM node:24-alpine
# Production refuses to start without AUTHENTIK_URL instead of showing the sandbox.
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/dist ./dist
USER node
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
  CMD wget -q -O /dev/null "http://127.0.0.1:${PORT:-4000}/healthz"
# No npm and no shell in between, so that signals arrive: the gateway drains on SIGTERM.
ENTRYPOINT ["node", "--min-semi-space-size=16", "--max-semi-space-size=32", "dist/main.js"]
CMD ["serve"]
