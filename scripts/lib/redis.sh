# shellcheck shell=bash
# Redis (or Valkey, which speaks the same): configuration and start.

redis_binaries() {
    local name path
    for name in redis-server valkey-server; do
        path=$(command -v "$name") && [[ -x $path ]] && echo "$path" && return
    done
    return 1
}
redis_version() {
    local version
    version=$("$(redis_binaries)" --version) && version=${version#*v=} && echo "${version%% *}"
}
redis_marker() { echo "$1/redis.conf"; }
redis_url() { echo "redis://127.0.0.1:$1/"; }

redis_init() {
    [[ -d $1/data ]] || as_user "$2" mkdir "$1/data"
}
redis_launch() {
    local dir=$1 user=$2 port=$3
    # The title stays the command line, by which live_pid knows the process.
    cat >"$dir/redis.conf" <<END
bind 127.0.0.1
port $port
dir "$dir/data"
pidfile "$dir/pid"
appendonly yes
set-proc-title no
END
    chmod a+r "$dir/redis.conf"
    cd "$dir" || return 1
    detached "$user" "$(redis_binaries)" "$dir/redis.conf" </dev/null >>"$dir/log" 2>&1 9>&- &
    wait_until_answering redis $! "$port" 30
}
