"""`python -m radiology.cli`."""

from radiology.cli import main

main()
