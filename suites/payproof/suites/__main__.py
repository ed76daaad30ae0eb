"""``python -m payproof.suites``: the command line, for where the ``payproof`` script is not on the path."""

from payproof.suites.cli import main

if __name__ == "__main__":
    main()
