# shellcheck shell=bash
# A store of one's own for a trial: a gateway on a free port, over a database that is
# dropped in the end. Sourced after common.sh, by those whom scripts/with-services
# called; `open_store NAME` sets $base and $token, which may do everything.

trial_python() { # FOLDER PACKAGE…: an environment of Python's with these
    local folder=$1
    shift
    [[ -e $folder/.complete ]] && return
    rm -rf "$folder"
    python3 -m venv "$folder" || die 'python3 with venv is needed: apt-get install python3-venv'
    "$folder/bin/pip" install --quiet "$@"
    touch "$folder/.complete"
}

open_store() {
    local binaries=${CARGO_TARGET_DIR:-target}/debug server=$DATABASE_URL path port
    cargo build --quiet -p gateway -p manage
    trial_server=$server trial_database=${1}_$$ trial_gateway=''
    path=${server%%\?*}
    export DATABASE_URL=${path%/*}/$trial_database${server#"$path"}
    trap close_store EXIT
    psql -Xq "$server" -c "CREATE DATABASE $trial_database"
    "$binaries/manage" migrate >/dev/null
    SUPERUSER_PASSWORD=$(head -c 18 /dev/urandom | base64) \
        "$binaries/manage" createsuperuser --email trial@shop.example --no-input >/dev/null
    local scopes=() scope
    for scope in catalogue:read catalogue:write stores:write stock:write orders:read orders:place orders:cancel orders:email; do
        scopes+=(--scope "$scope")
    done
    # shellcheck disable=SC2034 # for those who source this
    token=$("$binaries/manage" token create --staff trial@shop.example --name trial "${scopes[@]}" | grep -o 'sr_[A-Za-z0-9_-]*')

    port=${PORT:-28111}
    # shellcheck disable=SC2034
    base=http://127.0.0.1:$port
    env -u REDIS_URL -u API_AUTH -u PUBLIC_URL HTTP_ADDR="127.0.0.1:$port" OPS_ADDR="127.0.0.1:$((port + 1))" \
        RUST_LOG=warn "$binaries/gateway" &
    trial_gateway=$!
    until [[ $(ask 127.0.0.1 "$port" 'GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n' 12 | cut -d' ' -f2) = 200 ]]; do
        kill -0 "$trial_gateway" 2>/dev/null || die 'the gateway ended'
        sleep 0.1
    done
}

close_store() {
    [[ -z $trial_gateway ]] || { kill -TERM "$trial_gateway" 2>/dev/null && wait "$trial_gateway"; } || true
    psql -Xq "$trial_server" -c "DROP DATABASE IF EXISTS $trial_database WITH (FORCE)"
}
