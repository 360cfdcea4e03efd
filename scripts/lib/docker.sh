# shellcheck shell=bash
# The last resort: one container per server, where a Docker engine runs. Named by
# this checkout, published on loopback only, kept in a volume.

docker_ready() { command -v docker >/dev/null && timeout 5 docker info >/dev/null 2>&1; }
docker_name() {
    local hash
    hash=$(printf %s "$LOCAL" | sha256sum)
    echo "stockroom-${hash:0:12}-$1"
}
docker_marker() { echo "$LOCAL/docker-$1"; } # holds the port while we run a container
docker_running() { [[ -f $(docker_marker "$1") ]] && answers "$1" 127.0.0.1 "$(cat "$(docker_marker "$1")")"; }

docker_start() {
    local server=$1 name port inside image data args=() deadline=$((SECONDS + 180))
    name=$(docker_name "$server")
    case $server in
        postgres)
            inside=5432 image=postgres:16-alpine data=/var/lib/postgresql/data
            args=(-e POSTGRES_USER=stockroom -e POSTGRES_DB=stockroom -e POSTGRES_HOST_AUTH_METHOD=trust)
            ;;
        redis) inside=6379 image=redis:7-alpine data=/data ;;
        rabbitmq) inside=5672 image=rabbitmq:3-alpine data=/var/lib/rabbitmq args=(--hostname stockroom) ;;
    esac
    port=$(choose_port "$server" "$LOCAL/none" none) || return 1
    note "$server: starting $image in Docker"
    docker rm -f "$name" >/dev/null 2>&1 # the volume stays
    docker run -d --name "$name" -p "127.0.0.1:$port:$inside" -v "$name:$data" "${args[@]}" "$image" >/dev/null 9>&- || return 1
    echo "$port" >"$(docker_marker "$server")"
    until docker_running "$server"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.5
    done
}
docker_stop() {
    [[ -f $(docker_marker "$1") ]] || return 0
    docker stop "$(docker_name "$1")" >/dev/null && rm -f "$(docker_marker "$1")"
}
