# Image of the relay. Build: docker build -t mte-api-relay .
# Any image with Node.js 26, npm and glibc can be the base: --build-arg BASE_IMAGE=registry.example.com/node:26
ARG BASE_IMAGE=node:26-bookworm-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY nest-cli.json tsconfig.json LICENSE ./
COPY bin bin
COPY demo demo
COPY scripts/package scripts/package
COPY apps apps
COPY libs libs
# The page says what these say of error codes.
COPY docs/operations.md docs/troubleshooting.md docs/
RUN npm run build && node scripts/package/stage.js /staged

FROM ${BASE_IMAGE}
WORKDIR /app
# What changes least is the layer that a registry and its clients need not transfer again.
COPY --from=build /staged/node_modules node_modules
COPY --from=build /staged/package.json /staged/LICENSE ./
COPY --from=build /staged/demo demo
COPY --from=build /staged/bin bin
COPY --from=build /staged/dist dist
# For docker exec and kubectl exec.
RUN ln -s /app/bin/mte-api-relay /usr/local/bin/mte-api-relay

# Port 9464 serves the page, metrics and health, for operators only: do not publish it.
ENV NODE_ENV=production \
    PORT=8080 \
    ADMIN_PORT=9464 \
    ADMIN_HOST=0.0.0.0
EXPOSE 8080 9464

# A numeric user, so that an orchestrator can verify that it is not root. Any other user works as well,
# since the relay writes no files.
USER 1000:1000

# The shell of this command replaces itself by Node.js, which is thus process 1 and receives signals directly.
ENTRYPOINT ["/app/bin/mte-api-relay"]
CMD ["start"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["/app/bin/mte-api-relay", "healthcheck"]

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL app="mte-api-relay" \
      org.opencontainers.image.title="mte-api-relay" \
      org.opencontainers.image.description="A relay that carries HTTP between server applications in sealed messages" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
