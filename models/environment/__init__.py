"""What protocols run on, as bases that a spec mixes in: networks, crashes, timers, partitions."""

from .crashes import CrashRestart
from .networks import BoundedNetwork, CountingNetwork, FifoNetwork, UnorderedNetwork
from .partitions import Partitions
from .timers import Timers

__all__ = [
    "BoundedNetwork",
    "CountingNetwork",
    "CrashRestart",
    "FifoNetwork",
    "Partitions",
    "Timers",
    "UnorderedNetwork",
]
