# nearcache as a container: `docker build -t nearcache .`; the target `drills` is the same with a redis-server, for failure drills.
ARG NODE_IMAGE=node:24.21-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM ${NODE_IMAGE} AS runtime
ENV NODE_ENV=production
# Garbage lives for microseconds here: a larger young generation makes nothing faster, and takes 120 MiB more under load. Node would collect it
# with four threads, which take turns with the event loop where there is one core for all.
ENV NODE_OPTIONS="--max-semi-space-size=8 --v8-pool-size=1"
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# A number, so that Kubernetes can see that it is not root. Nothing is written: the root filesystem may be read-only.
USER 65532:65532
# /livez does not ask Redis: an outage of Redis must not restart what bridges it. Kubernetes has probes of its own.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["node", "dist/main.js", "healthcheck"]
ENTRYPOINT ["node", "dist/main.js"]
CMD ["serve"]

FROM runtime AS drills
USER 0:0
RUN apt-get update && apt-get install --yes --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/*
USER 65532:65532
HEALTHCHECK NONE
CMD ["drill", "--list"]

# Last, so that it is what `docker build` makes when no target is named.
FROM runtime AS nearcache
