"""Disguises: pure functions from a text to the same text hidden, by name in `TECHNIQUES`."""

from __future__ import annotations

from collections.abc import Callable

from tinyguardrail_sdk.training.data.attacks.disguise import (
    ciphers,
    encodings,
    flip,
    looks,
    programs,
)

Disguise = Callable[[str], str]

FLIPS: dict[str, Disguise] = {
    "flip_fwo": flip.flip_word_order,
    "flip_fcw": flip.flip_characters_in_word,
    "flip_fcs": flip.flip_characters_in_sentence,
    "flip_fmm": flip.fool_model,
    "flip_long_words": flip.flip_long_words,
}
ENCODINGS: dict[str, Disguise] = {
    "base64": encodings.to_base64,
    "base64_url": encodings.to_base64_url,
    "base64_lines": encodings.to_base64_lines,
    "base32": encodings.to_base32,
    "base85": encodings.to_base85,
    "hex": encodings.to_hex,
    "hex_spaced": encodings.to_hex_spaced,
    "hex_escapes": encodings.to_hex_escapes,
    "binary": encodings.to_binary,
    "octal": encodings.to_octal,
    "ascii_codes": encodings.to_ascii_codes,
    "ascii_list": encodings.to_ascii_list,
    "letter_numbers": encodings.to_letter_numbers,
    "morse": encodings.to_morse,
    "url": encodings.to_url,
    "url_full": encodings.to_url_full,
    "html_entities": encodings.to_html_entities,
    "html_hex_entities": encodings.to_html_hex_entities,
    "unicode_escapes": encodings.to_unicode_escapes,
    "nato": encodings.to_nato,
}
CIPHERS: dict[str, Disguise] = {
    "rot13": ciphers.rot13,
    "caesar": ciphers.caesar,
    "caesar_5": lambda text: ciphers.caesar(text, 5),
    "caesar_7": lambda text: ciphers.caesar(text, 7),
    "caesar_19": lambda text: ciphers.caesar(text, 19),
    "atbash": ciphers.atbash,
    "vigenere": ciphers.vigenere,
    "rail_fence": ciphers.rail_fence,
    "polybius": ciphers.polybius,
    "keyboard_shift": ciphers.keyboard_shift,
    "pig_latin": ciphers.pig_latin,
    "disemvowel": ciphers.disemvowel,
    "swap_first_last": ciphers.swap_first_last,
    "swap_pairs": ciphers.swap_pairs,
    "opish": ciphers.opish,
}
LOOKS: dict[str, Disguise] = {
    "leetspeak": looks.leetspeak,
    "leetspeak_hard": looks.leetspeak_hard,
    "letter_spacing": looks.letter_spacing,
    "dotted": looks.dotted,
    "hyphenated": looks.hyphenated,
    "split_words": looks.split_words,
    "no_spaces": looks.no_spaces,
    "camel": looks.camel,
    "odd_case": looks.odd_case,
    "homoglyphs": looks.homoglyphs,
    "homoglyphs_full": looks.homoglyphs_full,
    "fullwidth": looks.fullwidth,
    "math_bold": looks.math_bold,
    "math_script": looks.math_script,
    "math_mono": looks.math_mono,
    "circled": looks.circled,
    "small_caps": looks.small_caps,
    "upside_down": looks.upside_down,
    "regional": looks.regional,
    "accents": looks.accents,
    "zalgo": looks.zalgo,
    "emoji_gaps": looks.emoji_gaps,
    "slashes": looks.slashes,
}
INVISIBLES: dict[str, Disguise] = {
    "zero_width": looks.zero_width,
    "soft_hyphens": looks.soft_hyphens,
    "zero_width_bits": looks.zero_width_bits,
    "tags": looks.tags,
    "variation_selectors": looks.variation_selectors,
    "right_to_left": looks.right_to_left,
}
PROGRAMS: dict[str, Disguise] = {
    "binary_tree": programs.binary_tree,
    "reversed_list": programs.reversed_list,
    "odd_even": programs.odd_even,
    "by_length": programs.by_length,
    "variables": programs.variables,
    "string_list": programs.string_list,
    "chr_sum": programs.chr_sum,
    "acrostic_lines": programs.acrostic_lines,
    "columns": programs.columns,
    "json_chars": programs.json_wrapped,
    "markdown_split": programs.markdown_split,
    "html_split": programs.html_split,
    "ascii_art_rows": programs.ascii_art_rows,
}
GROUPS: dict[str, dict[str, Disguise]] = {
    "flip": FLIPS,
    "encoding": ENCODINGS,
    "cipher": CIPHERS,
    "look": LOOKS,
    "invisible": INVISIBLES,
    "program": PROGRAMS,
}
TECHNIQUES: dict[str, Disguise] = {
    name: disguise for group in GROUPS.values() for name, disguise in group.items()
}

__all__ = [
    "CIPHERS",
    "ENCODINGS",
    "FLIPS",
    "GROUPS",
    "INVISIBLES",
    "LOOKS",
    "PROGRAMS",
    "TECHNIQUES",
    "Disguise",
]
