"""Opens a file whose outer layer was taken off, with the inner layer's key alone: by the reader in
`reader/`, and by PyPI `cryptography`.

    judge_dsse.py FILE NAME     FILE, and FILE.sealed, .sealed.envelope, .inner, .outer, .peeled, .info
"""

import base64
import pathlib
import sys

from cryptography.cobblestone import Cobblestone256Decryptor

from reader import records, sealing

DSSE_KMS = 3
KMS = 2


def refuses(opens):
    """Whether it does not open."""
    try:
        opens()
    except Exception:  # of several types
        return True
    return False


def judge(file, name):
    part = lambda suffix: pathlib.Path(f"{file}.{suffix}").read_bytes()
    plaintext, peeled, info = pathlib.Path(file).read_bytes(), part("peeled"), part("info")
    stored = part("sealed.envelope").decode().splitlines()[0].removeprefix("object-cipher-envelope: ")
    envelope = records.parse_envelope(records.decode_text(stored))
    assert envelope.mode == DSSE_KMS and len(envelope.layers) == 2
    inner, outer = (base64.b64decode(part(layer)) for layer in ("inner", "outer"))

    given = dict.fromkeys(sealing.BOUND, b"") | {"realm": b"file", "bucket": b"", "key": name.encode()}
    identity = sealing.build_identity(envelope.bound, given)
    digest = sealing.bound_digest(records.clear_fields(envelope), identity, envelope.info)

    def unwrap(key, layer):
        ek = sealing.derive_ek(key, DSSE_KMS, layer, KMS)
        return sealing.unwrap(ek, layer, digest, envelope.layers[layer].wrapped)

    dek = unwrap(inner, 0)
    unwrap(outer, 1)
    assert refuses(lambda: unwrap(inner, 1)) and refuses(lambda: unwrap(outer, 0)), "one key, two layers"

    def layers(purpose, rest=b""):
        return sealing.message_layers([dek], envelope.object_id, purpose, rest)

    body = layers(b"/v1/body", sealing.u(4, 0))
    assert sealing.open_message(body, peeled) == plaintext, "the reader"
    tags = records.parse_info(sealing.open_short(layers(b"/v1/info"), info), False, 2)
    assert tags[1] == len(plaintext), "the length in the info block"
    # The headers that the info block confirms: the outer one, and the one that the peeled body has.
    sealed = part("sealed")
    assert tags[4] == sealed[:112] and peeled[:56] == sealed[56:112]
    assert refuses(lambda: sealing.open_message(body, sealed)), "both layers still on"

    _, context = body[0]

    def by_another(data):
        decryptor = Cobblestone256Decryptor(dek, context)
        return decryptor.update(data) + decryptor.finalize()

    assert by_another(peeled) == plaintext, "PyPI cryptography"
    assert refuses(lambda: by_another(sealed)) and refuses(lambda: by_another(peeled[:-1]))
    print(f"{len(plaintext)} bytes: the inner key alone opens what the outer key alone left")


judge(*sys.argv[1:])
