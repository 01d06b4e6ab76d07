# What the scripts of the supply chain share; sourced.

readonly TOOLS=${XDG_CACHE_HOME:-$HOME/.cache}/object-cipher/tools
export PATH=$TOOLS/bin:$PATH

# tool NAME VERSION: installs a cargo tool unless this very version is there.
tool() {
    [ "$("$1" --version 2>/dev/null | grep -o '[0-9.]*$')" = "$2" ] && return
    env -u CARGO_TARGET_DIR CARGO_PROFILE_DEV_DEBUG=0 \
        cargo install --debug --locked --root "$TOOLS" "$1@$2"
}

# record NAME VALUE: into docs/proof.md, if that is wanted.
record() {
    [ -z "${RECORD:-}" ] || docs/proof.py record "$@"
}
