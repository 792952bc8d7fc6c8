"""Stands in for curl where it is not installed: the options the tutorial uses, over urllib."""

import argparse
import sys
import urllib.error
import urllib.request


def main() -> None:
    """Make one request and print the body of the answer, whatever its status."""
    parser = argparse.ArgumentParser(prog="curl")
    parser.add_argument("url")
    parser.add_argument("-s", "-S", "-sS", action="store_true")
    parser.add_argument("-X", dest="method", default="GET")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="data")
    given = parser.parse_intermixed_args()
    request = urllib.request.Request(given.url, method=given.method, data=given.data.encode() if given.data else None)
    for header in given.headers:
        name, _, value = header.partition(":")
        request.add_header(name, value.strip())
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            sys.stdout.buffer.write(answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            sys.stdout.buffer.write(refused.read())


if __name__ == "__main__":
    main()
