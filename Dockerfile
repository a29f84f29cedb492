# thongsuot in a container: one binary, its libraries, certificates and time zones, and no shell.
#
#   docker build -t thongsuot .
#   docker run --read-only --cap-drop ALL -p 127.0.0.1:9247:9247 -v thongsuot:/var/lib/thongsuot \
#     -v ./etc:/etc/thongsuot:ro thongsuot
#
# The only base is Rust's own image; for a build that can be repeated, name it by its digest:
#   --build-arg RUST=docker.io/library/rust:1.95-bookworm@sha256:…
# How it is tried without an engine: tests/image.sh.

ARG RUST=docker.io/library/rust:1.95-bookworm
FROM ${RUST} AS build

# A binary that was built elsewhere, as a path in the build context; empty: build it here.
ARG PREBUILT=

WORKDIR /src
COPY . .
RUN set -eu; \
    if [ -n "$PREBUILT" ]; then binary="$PREBUILT"; \
    else cargo build --release --locked; binary=target/release/thongsuot; fi; \
    root=/image; \
    install -D -m 0755 "$binary" "$root/usr/bin/thongsuot"; \
    strip --strip-debug "$root/usr/bin/thongsuot"; \
    # What the loader needs, and where it looks for it.
    ldd "$root/usr/bin/thongsuot" | grep -o '/lib[^ ]*' | while read -r library; do \
      install -D "$(readlink -f "$library")" "$root$library"; \
    done; \
    # Names are also asked for by the C library: hosts and DNS, which are built into it.
    install -d "$root/etc" "$root/usr/share"; \
    echo 'hosts: files dns' > "$root/etc/nsswitch.conf"; \
    echo 'thongsuot:x:65532:65532:thongsuot:/var/lib/thongsuot:/sbin/nologin' > "$root/etc/passwd"; \
    echo 'thongsuot:x:65532:' > "$root/etc/group"; \
    install -D -m 0644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"; \
    cp -R /usr/share/zoneinfo "$root/usr/share/zoneinfo"; \
    rm -rf "$root/usr/share/zoneinfo/right" "$root/usr/share/zoneinfo/posix"; \
    install -D -m 0644 LICENSE "$root/usr/share/doc/thongsuot/LICENSE"; \
    python3 deploy/sbom.py --debian libc6,libgcc-s1,ca-certificates,tzdata \
      > "$root/usr/share/doc/thongsuot/sbom.cdx.json"; \
    install -d -m 0755 "$root/etc/thongsuot"; \
    install -d -m 0750 -o 65532 -g 65532 "$root/var/lib/thongsuot"

FROM scratch

ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="thongsuot" \
      org.opencontainers.image.description="Watches public e-service systems and accounts for their availability" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.documentation="file:///usr/share/doc/thongsuot"

COPY --from=build /image/ /

ENV PATH=/usr/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
# Numbers, so that Kubernetes sees that it is not root.
USER 65532:65532
WORKDIR /etc/thongsuot
VOLUME ["/var/lib/thongsuot"]
EXPOSE 9247
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=15s --start-period=60s --retries=3 \
  CMD ["/usr/bin/thongsuot", "healthy"]
ENTRYPOINT ["/usr/bin/thongsuot"]
# Beyond its own loopback it serves only with `[monitor] token`.
CMD ["run", "--config", "/etc/thongsuot/targets.toml", "--data", "/var/lib/thongsuot", "--listen", "0.0.0.0:9247"]
