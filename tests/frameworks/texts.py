"""Texts that the scripted guard of these tests knows."""

ATTACK = "zebra-override now"
QUESTION = "What is the capital of France?"
ANSWER = "Paris is the capital of France."
PAGE = f"Open from 9 to 5. {ATTACK}"
