"""Wireshark's dissectors as a judge of octets: what we wrote is put into a capture file and read back by tshark."""

import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.peers.found import path_of

_GLOBAL = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 101)  # raw IP
_CLIENT_PORT = 40_000
_LARGEST = 1400


def capture(folder: Path, octets: bytes, port: int) -> Path:
    """Write what a server on `port` sent as a capture of one TCP connection."""
    path = folder / f"port-{port}.pcap"
    packets = [_GLOBAL]
    for start in range(0, len(octets), _LARGEST):
        payload = octets[start : start + _LARGEST]
        tcp = struct.pack(">HHIIBBHHH", port, _CLIENT_PORT, 1 + start, 1, 0x50, 0x18, 65_535, 0, 0) + payload
        home = bytes((127, 0, 0, 1))
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, home, home) + tcp
        packets.append(struct.pack("<IIII", 0, start, len(ip), len(ip)) + ip)
    path.write_bytes(b"".join(packets))
    return path


def dissected(path: Path, port: int, protocol: str, fields: Sequence[str]) -> list[dict[str, list[str]]]:
    """Return the fields of every PDU of a capture, packet by packet; all values of one packet are in a list."""
    wanted = [argument for field in fields for argument in ("-e", field)]
    command = [path_of("tshark"), "-n", "-r", str(path), "-d", f"tcp.port=={port},{protocol}", "-T", "fields", "-E", "separator=/t"]
    done = subprocess.run([*command, *wanted], capture_output=True, text=True, timeout=60, check=True)
    return [dict(zip(fields, [value.split(",") for value in line.split("\t")], strict=True)) for line in done.stdout.splitlines()]


def complaints(path: Path, port: int, protocol: str) -> str:
    """Return what tshark finds malformed, or marks as an error."""
    shown = ["-Y", "_ws.malformed || _ws.expert.severity == 8388608"]
    command = [path_of("tshark"), "-n", "-r", str(path), "-d", f"tcp.port=={port},{protocol}", "-V", *shown]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout
