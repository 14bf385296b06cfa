"""A session for implementations made of sans-IO cores: all that adapters have in common.

`CoreSession` keeps a core, a log and timers for every site, and the network between them; it takes
the steps that `models.environment` gives a spec (deliver, drop, duplicate, time-out, crash,
restart, partition, heal). What is left for an adapter is a table of the protocol's own steps, a
table of its messages, and the projection. Nothing here knows a protocol.
"""

from .clocks import Clocks
from .meanings import Meanings
from .networks import (
    CountingNetwork,
    Envelope,
    FifoNetwork,
    Given,
    GrowingNetwork,
    Network,
    UnorderedNetwork,
)
from .session import CoreSession, InProcess
from .sides import SidedSession
from .site import Site, TimerWords, ever
from .vocabulary import Action, Vocabulary, at_first
from .wire import Translation, Wire

__all__ = [
    "Action",
    "Clocks",
    "CoreSession",
    "CountingNetwork",
    "Envelope",
    "FifoNetwork",
    "Given",
    "GrowingNetwork",
    "InProcess",
    "Meanings",
    "Network",
    "SidedSession",
    "Site",
    "TimerWords",
    "Translation",
    "UnorderedNetwork",
    "Vocabulary",
    "Wire",
    "at_first",
    "ever",
]
