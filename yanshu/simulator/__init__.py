"""Carriers to test against: servers of every protocol we speak, with scripted behaviour, and virtual handsets."""

from yanshu.simulator.behaviour import Account, Behaviour, BehaviourError, SimulatorSettings
from yanshu.simulator.handsets import HandsetMessage
from yanshu.simulator.ledger import Entry
from yanshu.simulator.server import Simulator
from yanshu.simulator.smsc import UnknownName

__all__ = ["Account", "Behaviour", "BehaviourError", "Entry", "HandsetMessage", "Simulator", "SimulatorSettings", "UnknownName"]
