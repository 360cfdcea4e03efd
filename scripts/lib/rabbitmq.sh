# shellcheck shell=bash
# RabbitMQ: a node of our own beside any that the system runs. It takes three
# ports in a row: AMQP, Erlang's distribution, and an epmd that serves it alone.

# The scripts themselves, not /usr/sbin's wrappers, which know one node only and
# want to become the user rabbitmq.
rabbitmq_binaries() {
    local bin
    for bin in /usr/lib/rabbitmq/bin /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin /opt/rabbitmq/sbin; do
        [[ -x $bin/rabbitmq-server ]] && command -v erl >/dev/null && echo "$bin" && return
    done
    return 1
}
rabbitmq_version() {
    local lib
    lib=$(printf '%s\n' /usr/lib/rabbitmq/lib/rabbitmq_server-* | tail -n1)
    echo "${lib##*-}"
}
rabbitmq_marker() { echo "-home $1 -"; } # in the Erlang machine's command line
rabbitmq_url() { echo "amqp://guest:guest@127.0.0.1:$1/%2f"; }

rabbitmq_init() {
    [[ -d $1/data ]] || as_user "$2" mkdir "$1/data"
}

# Everything that the node has to know, as environment. HOME holds its cookie.
rabbitmq_environment() {
    local dir=$1 port=$2
    export HOME=$dir LANG=C.UTF-8
    export ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=$((port + 2))
    export RABBITMQ_NODENAME=stockroom@localhost
    export RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT=$port RABBITMQ_DIST_PORT=$((port + 1))
    export RABBITMQ_MNESIA_BASE=$dir/data RABBITMQ_MNESIA_DIR=$dir/data/node RABBITMQ_LOG_BASE=$dir/logs
    export RABBITMQ_PID_FILE=$dir/pid RABBITMQ_CONFIG_FILE=$dir/rabbitmq RABBITMQ_CONF_ENV_FILE=/dev/null
    export RABBITMQ_ENABLED_PLUGINS_FILE=$dir/enabled_plugins RABBITMQ_ADVANCED_CONFIG_FILE=$dir/advanced
    # Distribution listens on every address unless told otherwise.
    export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}"
}

rabbitmq_launch() (
    dir=$1 user=$2 port=$3
    rabbitmq_environment "$dir" "$port"
    echo '[].' >"$dir/enabled_plugins"
    echo 'log.console = false' >"$dir/rabbitmq.conf"
    chmod a+r "$dir/enabled_plugins" "$dir/rabbitmq.conf"
    cd "$dir" || exit 1
    # Our own epmd, before Erlang starts one whose pid nobody knows.
    detached "$user" epmd -port $((port + 2)) -address 127.0.0.1 </dev/null >>"$dir/log" 2>&1 9>&- &
    echo $! >"$dir/epmd.pid"
    detached "$user" "$(rabbitmq_binaries)/rabbitmq-server" </dev/null >>"$dir/log" 2>&1 9>&- &
    wait_until_answering rabbitmq $! "$port" 120 && exit 0
    end_process $! TERM 10
    rabbitmq_stop_epmd "$dir"
    exit 1
)

rabbitmq_stop_epmd() {
    local pid
    if pid=$(live_pid "$1" epmd.pid epmd); then
        end_process "$pid" TERM 5
    fi
    rm -f "$1/epmd.pid"
}
