# shellcheck shell=bash
# What a build needs: cargo, and a C compiler that links and builds a few C parts.

need_toolchain() {
    [[ -x ${CARGO_HOME:-${HOME:-/root}/.cargo}/bin/cargo ]] && PATH=$PATH:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin
    command -v cargo >/dev/null || die 'cargo is missing; install Rust from https://rustup.rs'
    command -v cc >/dev/null && return
    if may_install; then install_packages gcc libc6-dev; fi
    command -v cc >/dev/null || die 'A C compiler is missing. To install: sudo apt-get install gcc libc6-dev'
}
