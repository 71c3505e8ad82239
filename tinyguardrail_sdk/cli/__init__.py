"""The `tinyguardrail` command."""

# Exit statuses of `check`. Every failure of any command is COULD_NOT_CHECK: a script that looks
# only at the status must never take a failure for a clearance.
ALLOWED = 0
BLOCKED = 1
COULD_NOT_CHECK = 2
INTERRUPTED = 130
