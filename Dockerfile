# The environment of requirements.lock, and the project in /fvae. docs/workflow.md says how to build and use it.
FROM debian:bookworm-20250929-slim

COPY container/system.sh /opt/install/
RUN /opt/install/system.sh

COPY container/environment.sh pyproject.toml requirements.lock /opt/install/
RUN cd /opt/install && ./environment.sh

# Any user may run the image: --user names the owner of a checkout that is mounted.
RUN useradd --uid 1000 --create-home fvae && chmod 1777 /home/fvae
COPY --chown=fvae . /fvae
RUN chown fvae /fvae

ENV PATH=/opt/fvae/bin:/usr/local/bin:/usr/bin:/bin
# NVIDIA's container runtime reads which devices and libraries of the driver to bring in.
ENV NVIDIA_VISIBLE_DEVICES=all
ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility
# A number that --user gives has no name and no home of its own.
ENV HOME=/home/fvae
ENV LOGNAME=fvae
WORKDIR /fvae
USER fvae
CMD ["python", "-m", "fvae", "--help"]
