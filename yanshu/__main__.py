"""Entry point of the `yanshu` command."""

from yanshu.cli.commands import main

if __name__ == "__main__":
    main()
