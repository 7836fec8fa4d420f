"""``windrow`` and ``python -m windrow``: a process of windrow's own."""

from __future__ import annotations

from windrow.interrupts import own_process


def main() -> None:
    """Run the command line; what signals do is settled before anything else is imported."""
    own_process()
    from windrow.cli import main as program

    program()


if __name__ == "__main__":
    main()
