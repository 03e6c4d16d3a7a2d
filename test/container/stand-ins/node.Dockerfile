# The part of node:24-bookworm-slim that `RUN npm` needs.
FROM scratch
COPY / /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["node"]
