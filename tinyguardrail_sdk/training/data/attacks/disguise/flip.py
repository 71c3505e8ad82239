"""FlipAttack's three orders, its fool-the-model variant and plain reversals of single words."""

from __future__ import annotations


def flip_word_order(text: str) -> str:
    """FWO: the words in reverse order, each as it was."""
    return " ".join(reversed(text.split()))


def flip_characters_in_word(text: str) -> str:
    """FCW: each word reversed, the words in their places."""
    return " ".join(word[::-1] for word in text.split())


def flip_characters_in_sentence(text: str) -> str:
    """FCS: the whole sentence reversed, character by character."""
    return text[::-1]


def fool_model(text: str) -> str:
    """FMM: reversed like FCS; what makes it its own kind is a guide that asks to restore the words.

    The guide belongs to the wrapper. The text equals `flip_characters_in_sentence` with every
    blank doubled, as some senders do to survive tokenizers.
    """
    return "  ".join(reversed([word[::-1] for word in text.split()]))


def flip_long_words(text: str) -> str:
    """Only words of five and more letters reversed, so that the sentence still looks like one."""
    return " ".join(word[::-1] if len(word) >= 5 else word for word in text.split())
