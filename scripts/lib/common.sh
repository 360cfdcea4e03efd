# shellcheck shell=bash
# What every script here shares: where things lie, how to speak, how to read
# KEY=value files, and how to ask a port who is there. Nothing but bash and
# coreutils is used, because a bare machine has no curl, nc or python3.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
LOCAL=${STOCKROOM_LOCAL:-$ROOT/.local}
[[ $LOCAL = /* ]] || LOCAL=$PWD/$LOCAL
[[ -z ${STOCKROOM_LOCAL:-} ]] || export STOCKROOM_LOCAL=$LOCAL
# shellcheck disable=SC2034 # for those who source this
SERVERS=(postgres redis rabbitmq)

say() { printf '%s\n' "$*"; }
note() { printf '%s\n' "$*" >&2; }
die() { note "$*"; exit 1; }

# The variable that configures a server, and its Debian package.
variable_of() {
    case $1 in
        postgres) echo DATABASE_URL ;;
        redis) echo REDIS_URL ;;
        rabbitmq) echo AMQP_URL ;;
    esac
}
package_of() {
    case $1 in
        postgres) echo postgresql ;;
        *) echo "$1-server" ;;
    esac
}

# Exports the KEY=value lines of a file, without running it. A variable that the
# environment already has stays as it is: what a person types beats a file.
load_env() {
    local line key value
    [[ -r $1 ]] || return 0
    while IFS= read -r line || [[ -n $line ]]; do
        line=${line%$'\r'}
        [[ $line =~ ^[[:space:]]*(export[[:space:]]+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$ ]] || continue
        key=${BASH_REMATCH[2]} value=${BASH_REMATCH[3]}
        if [[ $value =~ ^\"(.*)\"[[:space:]]*$ || $value =~ ^\'(.*)\'[[:space:]]*$ ]]; then
            value=${BASH_REMATCH[1]}
        fi
        [[ -n ${!key+set} ]] || export "$key=$value"
    done <"$1"
}

# host_of URL, port_of URL DEFAULT: of the first host, where a URL names several.
host_of() {
    local authority=${1#*://}
    authority=${authority%%[/?]*}
    authority=${authority##*@}
    authority=${authority%%,*}
    case $authority in
        \[*) authority=${authority#\[} && echo "${authority%%\]*}" ;;
        *) echo "${authority%%:*}" ;;
    esac
}
port_of() {
    local authority=${1#*://}
    authority=${authority%%[/?]*}
    authority=${authority##*@}
    authority=${authority%%,*}
    if [[ $authority =~ :([0-9]+)$ ]]; then echo "${BASH_REMATCH[1]}"; else echo "$2"; fi
}

# ask HOST PORT [WORDS [LENGTH]]: connects, says WORDS (a printf format) and prints
# the beginning of the answer, one character unless told.
# A process of its own, so that `timeout` ends a connect that nobody answers.
ask() {
    # shellcheck disable=SC2016 # the inner shell expands these
    timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/$1" || exit 1
        [ -n "$2" ] || exit 0
        printf "$2" >&3 && IFS= read -rn"$3" -t2 answer <&3 && printf %s "$answer"' \
        "$1" "$2" "${3:-}" "${4:-1}" 2>/dev/null
}
port_taken() { ask "$1" "$2" >/dev/null; }

# answers SERVER HOST PORT: does such a server speak there? An open port is not
# enough, as somebody else may hold it.
answers() {
    case $1 in
        postgres) [[ $(ask "$2" "$3" '\0\0\0\10\4\322\26\57') = [NS] ]] ;; # SSLRequest: yes or no
        redis) [[ $(ask "$2" "$3" 'ECHO +\r\n') = '$' ]] ;;
        rabbitmq) [[ $(ask "$2" "$3" 'AMQP\0\0\11\1') = $'\1' ]] ;; # Connection.Start
    esac
}

# reachable SERVER URL: as above for a configured URL, where passwords, TLS and
# Unix sockets allow a lighter question only.
reachable() {
    local host port default
    case $1 in postgres) default=5432 ;; redis) default=6379 ;; rabbitmq) default=5672 ;; esac
    [[ $2 = amqps:* ]] && default=5671
    host=$(host_of "$2") port=$(port_of "$2" "$default")
    case $host in
        '' | %2[Ff]*) return 0 ;;
    esac
    case $2 in
        rediss:* | amqps:*) port_taken "$host" "$port" ;;
        redis:*) [[ $(ask "$host" "$port" 'PING\r\n') = [+-] ]] ;;
        *) answers "$1" "$host" "$port" ;;
    esac
}

# Takes over the addresses that scripts/services found, and no others: a configured
# server that did not answer was replaced, or has to be done without.
use_services() {
    unset DATABASE_URL REDIS_URL AMQP_URL
    load_env "$LOCAL/env"
}
