#!/bin/sh
# Installs the servers that the tests run against, where they are missing: as root on Debian or Ubuntu, saying so.
# SERVICES=path takes only what is on the path. Whatever is missing in the end is named by the tests that need it.
set -u
cd "$(dirname "$0")/.."
[ "${SERVICES:-}" = path ] && exit 0
PATH="$PATH:/usr/sbin:/usr/local/sbin"
wanted=""
have() { command -v "$1" >/dev/null 2>&1; }
have mosquitto || wanted="$wanted mosquitto"
have chromium || have chromium-browser || have google-chrome || wanted="$wanted chromium"
have java || wanted="$wanted java"
have mvn || wanted="$wanted maven"
have initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || wanted="$wanted postgresql"
fc-list 2>/dev/null | grep -q 'Noto.*CJK' || wanted="$wanted fonts-noto-cjk fontconfig"
jars() {
    # Now, because a test that fetched them would be stopped by its time limit on a slow line.
    have java && have mvn || return 0
    python="${VENV:-.venv}/bin/python"
    [ -f .services/kafka-*/complete ] 2>/dev/null || echo "Fetching Apache Kafka with Maven into .services/, for the tests" >&2
    "$python" -m tests.services.kafka_jars
}
[ -n "$wanted" ] || { jars; exit 0; }
if [ "$(id -u)" != 0 ] || ! have apt-get; then
    echo "Missing for some tests:$wanted. They are left out; the end of the run names them." >&2
    exit 0
fi
echo "Installing with apt-get, for the tests:$wanted (SERVICES=path prevents it)" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >/dev/null || echo "apt-get update failed; trying with the lists at hand" >&2
for package in $wanted; do
    if [ "$package" = java ]; then
        # Kafka 3.9 runs on 11, 17 and 21; which of them there is depends on the release.
        for package in openjdk-17-jre-headless openjdk-21-jre-headless default-jre-headless; do
            apt-cache show "$package" >/dev/null 2>&1 && break
        done
    fi
    if [ "$package" = postgresql ]; then
        # The tests make a cluster of their own; another one that runs all the time is not wanted.
        mkdir -p /etc/postgresql-common/createcluster.d
        echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.d/dispatcher-tests.conf
    fi
    # One at a time: a package that this release does not have must not keep the others out.
    apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 </dev/null \
        || echo "apt-get could not install $package" >&2
done
jars
exit 0
