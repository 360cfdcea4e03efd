# shellcheck shell=bash
# The distribution's packages, where we may install them.

SUDO=()
may_install() {
    command -v apt-get >/dev/null || return 1
    [[ $EUID != 0 ]] || return 0
    SUDO=(sudo -n)
    command -v sudo >/dev/null && sudo -n true 2>/dev/null
}

# install_packages NAME…: quietly; the output is shown only where it fails.
install_packages() {
    local log
    log=$(mktemp) || return 1
    note "installing $* (apt-get)"
    # What is installed must not be started as well: a broker of the system would
    # listen on every address. policy-rc.d is Debian's switch for that.
    # shellcheck disable=SC2016 # the inner shell expands these
    if "${SUDO[@]}" env DEBIAN_FRONTEND=noninteractive sh -c '
        policy=/usr/sbin/policy-rc.d
        if [ ! -e "$policy" ]; then
            trap "rm -f $policy" EXIT
            trap "exit 130" HUP INT TERM
            printf "#!/bin/sh\nexit 101\n" >"$policy" && chmod 755 "$policy"
        fi
        get="apt-get -q -y --no-upgrade -o DPkg::Lock::Timeout=300"
        $get install --no-install-recommends "$@" ||
            { $get update && $get install --no-install-recommends "$@"; }
    ' sh "$@" >"$log" 2>&1 </dev/null 9>&-; then
        rm -f "$log"
        return 0
    fi
    tail -n 15 "$log" >&2
    rm -f "$log"
    return 1
}
