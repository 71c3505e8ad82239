"""Identifiers, digests, keys and encoded files: strings that tell a reader nothing."""

from __future__ import annotations

import base64
import json
import random
import urllib.parse
import uuid
import zlib

from tinyguardrail_sdk.training.data.benign.blobs.size import Blob, letters, lines, many
from tinyguardrail_sdk.training.data.carriers import phrase

_HEX = "0123456789abcdef"
_UPPER = "ABCDEFGHJKLMNPQRSTUVWXYZ"
# What files of these types begin with.
_MAGIC = {
    "image/png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "image/jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01",
    "image/gif": b"GIF89a\x01\0\x01\0\x80",
    "application/pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "application/zip": b"PK\x03\x04\x14\0\x08\0\x08\0",
    "audio/mpeg": b"ID3\x03\0\0\0\0",
    "font/woff2": b"wOF2\0\x01\0\0",
    "application/gzip": b"\x1f\x8b\x08\0",
}


def _file(rng: random.Random, least: int = 20, most: int = 2000) -> tuple[str, str]:
    kind = rng.choice(list(_MAGIC))
    content = _MAGIC[kind] + rng.randbytes(many(rng, least, most))
    return kind, base64.b64encode(content).decode()


def _wrapped(text: str, width: int = 76) -> str:
    return "\n".join(text[at : at + width] for at in range(0, len(text), width))


def attachment(rng: random.Random) -> str:
    """A mail attachment, with or without its headers."""
    kind, body = _file(rng)
    if rng.random() < 0.4:
        return _wrapped(body)
    name = f"{phrase(rng, 'file').split('.')[0]}.{kind.split('/')[1]}"
    return (
        f'Content-Type: {kind}; name="{name}"\nContent-Transfer-Encoding: base64\n'
        f'Content-Disposition: attachment; filename="{name}"\n\n{_wrapped(body)}'
    )


def base64_text(rng: random.Random) -> str:
    """Ordinary words or records in base64."""
    words = " ".join(phrase(rng, "statement") for _ in range(many(rng, 1, 12)))
    record = json.dumps({"id": rng.randrange(9999), "note": words, "ok": rng.random() < 0.5})
    plain = rng.choice((words, record, zlib.compress(words.encode())))
    return base64.b64encode(plain if isinstance(plain, bytes) else plain.encode()).decode()


def data_uri(rng: random.Random) -> str:
    """An image written into a page or a style sheet."""
    kind, body = _file(rng, most=1500)
    uri = f"data:{kind};base64,{body}"
    return rng.choice(
        ("{}", '<img src="{}" alt="">', "background: url({});", "![logo]({})")
    ).format(uri)


def jwt(rng: random.Random) -> str:
    """A signed token."""
    head = {"alg": rng.choice(("HS256", "RS256", "ES256")), "typ": "JWT"}
    body = {"sub": str(rng.randrange(10**9)), "iat": rng.randrange(16 * 10**8, 18 * 10**8)}
    if rng.random() < 0.6:
        body |= {"name": phrase(rng, "fullname"), "iss": f"https://{phrase(rng, 'domain')}"}
    parts = [json.dumps(part).encode() for part in (head, body)] + [rng.randbytes(32)]
    token = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
    return f"Authorization: Bearer {token}" if rng.random() < 0.3 else token


def pem(rng: random.Random) -> str:
    """A certificate, a request or a public key."""
    kind = rng.choice(
        ("CERTIFICATE", "CERTIFICATE", "PUBLIC KEY", "CERTIFICATE REQUEST", "X509 CRL")
    )
    body = "MII" + base64.b64encode(rng.randbytes(many(rng, 90, 1500))).decode()
    return f"-----BEGIN {kind}-----\n{_wrapped(body, 64)}\n-----END {kind}-----"


def hex_dump(rng: random.Random) -> str:
    """Bytes as `xxd`, `hexdump` or a network sniffer shows them."""
    words = phrase(rng, "statement").encode()
    content = rng.randbytes(many(rng, 16, 320)) if rng.random() < 0.6 else words * 2
    if rng.random() < 0.25:
        return content.hex(rng.choice((" ", ":", "-")))
    rows = []
    for at in range(0, len(content), 16):
        part = content[at : at + 16]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        rows.append(f"{at:08x}: {part.hex(' ', 2):<39}  {shown}")
    return "\n".join(rows)


def uuids(rng: random.Random) -> str:
    """A list of UUIDs."""
    before = rng.choice(("", "", "- ", "id: ", '"'))
    after = '",' if before == '"' else ""
    return lines(
        rng, lambda rng: f"{before}{uuid.UUID(int=rng.getrandbits(128), version=4)}{after}", 1, 50
    )


def hashes(rng: random.Random) -> str:
    """Digests of files, as checksum tools list them."""
    size = rng.choice((32, 40, 64, 64, 128))

    def one(rng: random.Random) -> str:
        digest = "".join(rng.choices(_HEX, k=size))
        return digest if bare else f"{digest}  {phrase(rng, 'file')}"

    bare = rng.random() < 0.4
    return lines(rng, one, 1, 30)


def serials(rng: random.Random) -> str:
    """Serial numbers, vouchers, part numbers and licence plates."""
    shape = rng.choice(
        ("AAAA-9999-AAAA", "X9X9X-X9X9X-X9X9X", "SN99999999A", "A99-999/99", "AA 999 AA")
    )
    pick = {"A": _UPPER, "9": "0123456789", "X": _UPPER + "23456789"}
    label = rng.choice(("", "", "S/N: ", "Part no. ", "Voucher: "))

    def one(rng: random.Random) -> str:
        return label + "".join(rng.choice(pick[c]) if c in pick else c for c in shape)

    return lines(rng, one, 2, 40)


def isbns(rng: random.Random) -> str:
    """ISBNs with a right check digit, alone or with a title."""

    def one(rng: random.Random) -> str:
        digits = [9, 7, 8, *(rng.randrange(10) for _ in range(9))]
        digits.append(-sum(d * (1, 3)[i % 2] for i, d in enumerate(digits)) % 10)
        code = "".join(map(str, digits))
        code = f"{code[:3]}-{code[3]}-{code[4:8]}-{code[8:12]}-{code[12]}" if dashed else code
        return f"{code}  {phrase(rng, 'work')}" if titled else f"ISBN {code}"

    dashed, titled = rng.random() < 0.6, rng.random() < 0.5
    return lines(rng, one, 1, 30)


def query(rng: random.Random) -> str:
    """Addresses with long query strings, and form bodies."""

    def one(rng: random.Random) -> str:
        fields = {
            "q": phrase(rng, "topic"), "utm_source": rng.choice(("news", "mail", "qr")),
            "session": letters(rng, _HEX, 12, 40), "lang": "en", "page": str(rng.randrange(40)),
            "redirect": phrase(rng, "url"), "filter": f"price<{rng.randrange(900)}&sort=date",
            "name": phrase(rng, "fullname"), "comment": phrase(rng, "statement"),
        }  # fmt: skip
        names = rng.sample(list(fields), rng.randint(3, 8))
        encoded = urllib.parse.urlencode({name: fields[name] for name in names})
        return encoded if rng.random() < 0.3 else f"{phrase(rng, 'url')}?{encoded}"

    return lines(rng, one, 1, 8)


def dna(rng: random.Random) -> str:
    """Sequences of bases, as FASTA or bare."""
    return _sequence(rng, rng.choice(("ACGT", "ACGT", "acgt", "ACGU")))


def protein(rng: random.Random) -> str:
    """Sequences of amino acids, as FASTA or bare."""
    return _sequence(rng, "ACDEFGHIKLMNPQRSTVWY")


def _sequence(rng: random.Random, alphabet: str) -> str:
    body = letters(rng, alphabet, 30, 1500)
    if rng.random() < 0.6:
        name = f"{rng.choice(('seq', 'contig', 'sample', 'chr', 'read'))}{rng.randrange(999)}"
        return f">{name} len={len(body)}\n{_wrapped(body, rng.choice((60, 70, 80)))}"
    return body if rng.random() < 0.6 else " ".join(_wrapped(body, 10).split("\n"))


CODES: dict[str, Blob] = {
    "attachment": attachment,
    "base64 text": base64_text,
    "data URI": data_uri,
    "JWT": jwt,
    "PEM block": pem,
    "hex dump": hex_dump,
    "UUIDs": uuids,
    "checksums": hashes,
    "serial numbers": serials,
    "ISBNs": isbns,
    "query string": query,
    "DNA": dna,
    "protein": protein,
}
