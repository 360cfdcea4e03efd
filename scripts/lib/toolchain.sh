# shellcheck shell=bash
# What a build needs: cargo, and a C compiler that links and builds a few C parts.

need_toolchain() {
    [[ -x ${CARGO_HOME:-${HOME:-/root}/.cargo}/bin/cargo ]] && PATH=$PATH:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin
    command -v cargo >/dev/null || die 'cargo is missing; install Rust from https://rustup.rs'
    local wanted found
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml")
    found=$(cargo --version | cut -d' ' -f2)
    [[ $(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1) = "$wanted" ]] \
        || die "cargo $found is too old: Rust $wanted or newer is needed; install it from https://rustup.rs"
    command -v cc >/dev/null && return
    if may_install; then install_packages gcc libc6-dev; fi
    command -v cc >/dev/null || die 'A C compiler is missing. To install: sudo apt-get install gcc libc6-dev'
}
