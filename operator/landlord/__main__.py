"""`python -m landlord`."""

from landlord.cli import main

main()
