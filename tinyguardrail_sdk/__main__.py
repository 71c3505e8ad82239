"""The command line: `tinyguardrail`, or `python -m tinyguardrail_sdk`."""

import sys

from tinyguardrail_sdk.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
