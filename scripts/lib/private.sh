# shellcheck shell=bash
# The life of a private server: a folder of its own with `port`, `pid`, `version`,
# `log` and `data`, made, started, repaired and stopped in the same way for all
# three. What differs is in postgres.sh, redis.sh and rabbitmq.sh, each of which
# defines NAME_binaries, NAME_version, NAME_init, NAME_launch, NAME_marker and NAME_url.

# Root starts no server as root (PostgreSQL refuses it, and the others need no
# power): whoever owns the data already, else postgres, else nobody.
service_user() {
    local owner
    [[ $EUID = 0 ]] || { id -un; return; }
    owner=$(stat -c %U "$LOCAL/$1" 2>/dev/null) || owner=root
    if [[ $owner != root && $owner != UNKNOWN ]]; then
        echo "$owner"
    elif id postgres >/dev/null 2>&1; then
        echo postgres
    else
        echo nobody
    fi
}
as_user() {
    local user=$1
    shift
    if [[ $EUID = 0 ]]; then
        setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups -- "$@"
    else
        "$@"
    fi
}

# detached USER COMMAND…, called with & : becomes the command in a session of its
# own, so that it outlives this shell and its Ctrl-C, and $! is its pid.
detached() {
    local user=$1
    shift
    if [[ $EUID = 0 ]]; then
        exec setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups -- setsid "$@"
    else
        exec setsid "$@"
    fi
}

# The folder of a server. A checkout that the server's user cannot reach (below
# /root, say) keeps its data in /var/tmp under a name made from its path.
private_dir() {
    local user hash
    if [[ $EUID = 0 ]]; then
        user=$(service_user "$1")
        if [[ $user != root ]] && ! as_user "$user" test -x "$LOCAL"; then
            hash=$(printf %s "$LOCAL" | sha256sum)
            echo "/var/tmp/stockroom-${hash:0:12}/$1"
            return
        fi
    fi
    echo "$LOCAL/$1"
}
make_private_dir() {
    local dir=$1 parent=${1%/*} user=$2
    mkdir -p "$parent" || return 1
    # /var/tmp is everybody's: take no folder that somebody else laid there.
    if [[ $parent = /var/tmp/* && ($(stat -c %u "$parent") != "$EUID" || -L $parent) ]]; then
        note "$parent belongs to somebody else; set STOCKROOM_LOCAL to a folder of yours"
        return 1
    fi
    if [[ ! -d $dir ]]; then
        mkdir "$dir" || return 1
        [[ $EUID != 0 ]] || chown "$user:" "$dir" || return 1
    elif [[ ! -w $dir ]]; then
        note "$dir belongs to $(stat -c %U "$dir"); run as that user, or set STOCKROOM_LOCAL"
        return 1
    fi
}

# The pid of a private server, if that very server lives. Numbers are used again,
# so a pid file alone proves nothing: the command line has to name our folder too.
live_pid() {
    local dir=$1 file=$2 marker=$3 pid
    pid=$(head -n1 "$dir/$file" 2>/dev/null) || return 1
    [[ $pid =~ ^[0-9]+$ && -r /proc/$pid/cmdline ]] || return 1
    tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$marker" || return 1
    echo "$pid"
}
private_pid() {
    local dir marker
    dir=$(private_dir "$1")
    marker=$("$1_marker" "$dir")
    live_pid "$dir" pid "$marker" || live_pid "$dir" data/postmaster.pid "$marker"
}
private_port() { cat "$(private_dir "$1")/port" 2>/dev/null; }
private_running() { private_pid "$1" >/dev/null && answers "$1" 127.0.0.1 "$(private_port "$1")"; }

# A port for the server, the remembered one first. All lie below 32768, where the
# kernel takes no ports for outgoing connections; other checkouts and second roots
# begin their search in different places. RabbitMQ takes the next two as well.
choose_port() {
    local server=$1 dir=$2 avoid=$3 base port spread try
    case $server in postgres) base=15432 ;; redis) base=16379 ;; rabbitmq) base=15680 ;; esac
    spread=$(printf %s "$LOCAL" | cksum)
    spread=$((${spread%% *} % 200))
    for try in remembered 0 {1..60}; do
        case $try in
            remembered) port=$(cat "$dir/port" 2>/dev/null) || continue ;;
            0) [[ -z ${STOCKROOM_LOCAL:-} ]] || continue; port=$base ;;
            *) port=$((base + 2000 + 10 * ((spread + try) % 200))) ;;
        esac
        [[ $port =~ ^[0-9]+$ && $port != "$avoid" ]] || continue
        port_taken 127.0.0.1 "$port" && continue
        if [[ $server = rabbitmq ]]; then
            port_taken 127.0.0.1 $((port + 1)) && continue
            port_taken 127.0.0.1 $((port + 2)) && continue
        fi
        echo "$port"
        return
    done
    return 1
}

# Waits until the launched process answers, or has died (which is known at once).
wait_until_answering() {
    local server=$1 pid=$2 port=$3 deadline=$((SECONDS + $4))
    while ((SECONDS < deadline)); do
        [[ -d /proc/$pid ]] || return 1
        answers "$server" 127.0.0.1 "$port" && return 0
        sleep 0.1
    done
    return 1
}

# Starts the server on whatever lies in its folder. A port that was lost to
# somebody else between choosing and binding is exchanged for another one.
launch_on_free_port() {
    local server=$1 dir=$2 user=$3 port avoid=none try
    for try in 1 2 3; do
        port=$(choose_port "$server" "$dir" "$avoid") || { note "$server: no free port"; return 1; }
        echo "$port" >"$dir/port"
        : >"$dir/log"
        [[ $EUID != 0 ]] || chown "$user:" "$dir/log"
        "${server}_launch" "$dir" "$user" "$port" && return 0
        grep -qiE 'address already in use|eaddrinuse' "$dir/log" || return 1
        avoid=$port
    done
    return 1
}

# Moves data that cannot be used out of the way, and prints where it went.
set_aside() {
    local aside
    aside=$1/data.broken-$(date +%Y%m%d-%H%M%S)
    cp -f "$1/log" "$1/log.broken" 2>/dev/null
    mv "$1/data" "$aside" && echo "$aside"
}

start_private() {
    local server=$1 dir user pid aside=''
    user=$(service_user "$server") dir=$(private_dir "$server")
    make_private_dir "$dir" "$user" || return 1
    # Left half-started by a run that was interrupted: let it finish, else end it.
    if pid=$(private_pid "$server"); then
        wait_until_answering "$server" "$pid" "$(private_port "$server")" 30 && return 0
    fi
    stop_private "$server" || return 1
    rm -f "$dir/pid"
    "${server}_version" >"$dir/version"
    "${server}_init" "$dir" "$user" && launch_on_free_port "$server" "$dir" "$user" && return 0
    # Too slow is not broken: nothing is moved while the server still works on it.
    if private_pid "$server" >/dev/null; then
        note "$server is still starting; see $dir/log, and try again"
        return 1
    fi
    # It does not start on this data. Try with new data, but delete nothing; and if
    # that fails as well, the data was not to blame and goes back to its place.
    if [[ -d $dir/data ]]; then
        aside=$(set_aside "$dir") || return 1
        if "${server}_init" "$dir" "$user" && launch_on_free_port "$server" "$dir" "$user"; then
            note "$server: its data could not be used and lies in $aside now; started with new data"
            return 0
        fi
        rm -rf "$dir/data"
        mv "$aside" "$dir/data"
    fi
    note "$server does not start; the end of $dir/log:"
    tail -n 15 "$dir/log" >&2
    return 1
}

# end_process PID SIGNAL SECONDS: asks, waits, and insists only in the end.
end_process() {
    local pid=$1 deadline=$((SECONDS + $3))
    if ! kill -s "$2" "$pid" 2>/dev/null; then
        [[ ! -d /proc/$pid ]] && return 0
        note "process $pid belongs to $(stat -c %U "/proc/$pid"); stop it as that user"
        return 1
    fi
    while [[ -d /proc/$pid ]]; do
        ((SECONDS < deadline)) || { kill -s KILL "$pid" 2>/dev/null; deadline=$((SECONDS + 5)); }
        sleep 0.05
    done
}
stop_private() {
    local server=$1 dir pid signal=TERM
    dir=$(private_dir "$server")
    [[ $server != postgres ]] || signal=INT # "fast": ends the sessions, writes a checkpoint
    if pid=$(private_pid "$server"); then
        end_process "$pid" "$signal" 25 || return 1
        rm -f "$dir/pid"
    fi
    [[ $server != rabbitmq ]] || rabbitmq_stop_epmd "$dir"
}
