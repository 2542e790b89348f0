# The gateway as a container: what `npm pack` ships, the production dependencies, and Node. Nothing at run time needs a shell, a
# writable file system or root. docs/container.md shows how to run it, docs/decisions/0012-container-image.md why it is as it is.
#
#   docker build -t scopegate .
#   docker run --read-only --cap-drop ALL -e LISTEN=0.0.0.0:8080 -p 8080:8080 -v ./routes.yaml:/etc/scopegate/routes.yaml:ro scopegate
#
# Pin the base for releases, in this one line: node:24-trixie-slim@sha256:… (the digest that `docker buildx imagetools inspect` prints).
FROM node:24-trixie-slim AS node

FROM node AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# Behind a proxy that opens TLS: --secret id=ca,src=ca.pem. It is read here and ends up in no layer.
RUN --mount=type=secret,id=ca \
    if [ -f /run/secrets/ca ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca; fi; \
    npm ci --ignore-scripts
COPY . .
RUN npm run build \
    && npm pack --ignore-scripts \
    && mkdir /package \
    && tar -xzf scopegate-*.tgz -C /package --strip-components=1

FROM node AS dependencies
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=secret,id=ca \
    if [ -f /run/secrets/ca ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca; fi; \
    npm ci --ignore-scripts --omit=dev

FROM node
LABEL org.opencontainers.image.title="scopegate" \
      org.opencontainers.image.description="A FHIR-aware API gateway that enforces SMART on FHIR scopes and explains every decision" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
COPY --from=dependencies /src/node_modules /opt/scopegate/node_modules
COPY --from=build /package /opt/scopegate
# The working folder holds the route map and what it names (key file, certificates): mount yours over it.
COPY routes.yaml /etc/scopegate/routes.yaml
WORKDIR /etc/scopegate
# The user `node` of the base image, as a number, so that an orchestrator can see that it is not root.
USER 1000:1000
# The gateway listens on loopback unless told otherwise: a container needs LISTEN=0.0.0.0:8080. The admin port stays on the
# container's loopback, where the health check asks it; ADMIN_LISTEN=0.0.0.0:9090 (with ADMIN_TOKEN) opens it for scrapers.
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 \
    CMD ["node", "/opt/scopegate/dist/main.js", "healthcheck"]
# Node is process 1 and takes SIGTERM itself: it drains. It starts no processes of others, so no init is needed.
ENTRYPOINT ["node", "/opt/scopegate/dist/main.js"]
CMD ["serve"]
