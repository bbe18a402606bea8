# The gateway with its embedded platform. `docker compose up` (docker-compose.yml) runs it with PostgreSQL.
FROM node:20-bookworm-slim AS build
# Compilers, for the case that a prebuilt binary of the SQLite driver cannot be fetched.
RUN apt-get update && apt-get install -y --no-install-recommends python3 make g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/coaps
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:20-bookworm-slim
# What embedded applications run on, beside Node and plain files. Leave out what you do not need; the gateway offers what it finds.
ARG RUNTIMES="tomcat10 openjdk-17-jre-headless php-cli php-fpm php-mysql python3 python3-venv mariadb-server"
# The Java packages expect the folder of their manual pages, which slim images lack. No service is started here.
RUN mkdir -p /usr/share/man/man1 \
    && printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d \
    && apt-get update && apt-get install -y --no-install-recommends ca-certificates $RUNTIMES \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/coaps
COPY --from=build /opt/coaps/package.json /opt/coaps/LICENSE /opt/coaps/README.md ./
COPY --from=build /opt/coaps/node_modules node_modules
COPY --from=build /opt/coaps/dist dist
COPY --from=build /opt/coaps/examples examples
RUN ln -s /opt/coaps/dist/src/cli/main.js /usr/local/bin/coaps && chmod +x dist/src/cli/main.js \
    && mkdir -p /var/lib/coaps /etc/coaps
ENV NODE_ENV=production COAPS_HOST=0.0.0.0 COAPS_CONPAAS_HOST=0.0.0.0 COAPS_DATA=/var/lib/coaps
WORKDIR /etc/coaps
VOLUME /var/lib/coaps
EXPOSE 8080 5555 9090
# Runs as root so that each ConPaaS user's applications get a Unix id of their own; the applications never do.
ENTRYPOINT ["coaps"]
CMD ["serve"]
