# Starts the server for other people's clients: sourced by the scripts beside it.
# Needs $folder, a scratch folder; leaves $endpoint, $ca, and the log in $folder/log.

# The clone stays as it is.
export PYTHONDONTWRITEBYTECODE=1

readonly ACCESS_KEY=EXAMPLEACCESSKEY SECRET_KEY=example/secret/key
readonly OTHER_ACCESS_KEY=OTHERACCESSKEY OTHER_SECRET_KEY=other/secret/key

# A certificate for localhost, good for a day.
certify() {
    ca=$folder/cert.pem
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost \
        -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
        -keyout "$folder/key.pem" -out "$ca" 2>/dev/null
}

# serve FLAG…: starts the server over TLS on a port of the system's choice.
serve() {
    [ -e "$folder/cert.pem" ] || certify
    "$server" --listen 127.0.0.1:0 --data "$folder/data" --keyring "$folder/keyring" \
        --access-key "$ACCESS_KEY:$SECRET_KEY" --access-key "$OTHER_ACCESS_KEY:$OTHER_SECRET_KEY" \
        --tls-cert "$folder/cert.pem" --tls-key "$folder/key.pem" "$@" >>"$folder/log" 2>&1 &
    pid=$!
    local _
    for _ in $(seq 200); do
        # The last line that tells of a port: a server that is started again has another.
        port=$(grep -oE 'https://127\.0\.0\.1:[0-9]+' "$folder/log" | tail -1 | grep -oE '[0-9]+$' || true)
        if [ -n "$port" ] && [ "$port" != "${last_port:-}" ]; then
            last_port=$port
            endpoint=https://localhost:$port
            return
        fi
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    printf 'the server did not start:\n'
    cat "$folder/log"
    return 1
}

stop() {
    [ -z "${pid:-}" ] || kill "$pid" 2>/dev/null || true
    [ -z "${pid:-}" ] || wait "$pid" 2>/dev/null || true
    pid=
}

# venv NAME PACKAGE…: a virtual environment in the cache with these packages.
venv() {
    local folder=${XDG_CACHE_HOME:-$HOME/.cache}/object-cipher/$1
    if [ "$(cat "$folder/packages" 2>/dev/null)" != "${*:2}" ]; then
        rm -rf "$folder"
        python3 -m venv "$folder"
        "$folder/bin/pip" install --quiet --disable-pip-version-check "${@:2}"
        printf '%s\n' "${*:2}" >"$folder/packages"
    fi
    PATH=$folder/bin:$PATH
}

# built PACKAGE FEATURES: builds a package's binary, unless the folder $BUILT has it already with all
# features; says where it is.
built() {
    if [ -z "${BUILT:-}" ]; then
        cargo build --quiet --package "$1" --features "${2:-}" >&2
    fi
    printf '%s\n' "${BUILT:-${CARGO_TARGET_DIR:-target}/debug}"
}

# build_server [FEATURES]: leaves $server.
build_server() {
    server=$(built s3-server "${1:-}")/s3-server
}
