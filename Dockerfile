FROM python:3.13-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /site
COPY requirements.lock requirements-annoy.lock ./
# The flags of recsite/installation.py: an image runs on other machines than the one it was built on.
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements.lock \
    && case "$(uname -m)" in x86_64) export ANNOY_COMPILER_ARGS=-fpermissive,-O3,-march=x86-64-v3,-ffast-math,-fno-associative-math,-DANNOYLIB_MULTITHREADED_BUILD,-std=c++14 ;; esac \
    && /venv/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements-annoy.lock

FROM python:3.13-slim
# OpenMP, which scikit-learn counts on.
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home site && mkdir /models /catalogue && chown site /models /catalogue
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /site
COPY . .
RUN DATABASE_URL=postgres://build/only SECRET_KEY=$(head -c 48 /dev/urandom | base64 -w 0) python manage.py collectstatic --no-input
USER site
EXPOSE 8000
