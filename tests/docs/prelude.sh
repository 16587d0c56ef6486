# What the commands of a document run in. An engine that a document starts runs beside them until the document ends.
set -eu
exec 2>&1
ENGINE=
start_engine() {
    "$@" >engine.log 2>&1 &
    ENGINE=$!
    for _ in $(seq 300); do
        if grep -q 'Duty room' engine.log; then return 0; fi
        kill -0 "$ENGINE" 2>/dev/null || break
        sleep 0.1
    done
    cat engine.log
    return 1
}
stop_engine() {
    if [ -n "$ENGINE" ]; then
        kill -TERM "$ENGINE"
        wait "$ENGINE"
        ENGINE=
    fi
}
trap stop_engine EXIT
