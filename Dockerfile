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
COPY apps apps
COPY libs libs
# The page says what these say of error codes.
COPY docs/operations.md docs/troubleshooting.md docs/
# The files that later stages copy are readable by every user, regardless of the file modes of the checkout.
RUN npm run build \
 && find dist \( -name '*.map' -o -name '*.d.ts' \) -delete \
 && chmod -R u=rwX,go=rX bin demo dist package.json LICENSE \
 && chmod 755 bin/mte-api-relay

FROM ${BASE_IMAGE} AS dependencies
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && chmod -R u=rwX,go=rX node_modules

FROM ${BASE_IMAGE}
WORKDIR /app
COPY --from=dependencies /src/node_modules node_modules
COPY --from=build /src/package.json /src/LICENSE ./
COPY --from=build /src/dist dist
COPY --from=build /src/demo demo
COPY --from=build /src/bin bin
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
