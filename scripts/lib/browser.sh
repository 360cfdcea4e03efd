# shellcheck shell=bash
# Chromium and its driver, for the tests of the staff site.

# need_browser: finds or installs them, or says how to.
need_browser() {
    command -v "${CHROMEDRIVER:-chromedriver}" >/dev/null && return
    if may_install && install_packages chromium chromium-driver && command -v chromedriver >/dev/null; then
        return
    fi
    die 'The tests of the staff site need Chromium. To install: sudo apt-get install chromium chromium-driver'
}
