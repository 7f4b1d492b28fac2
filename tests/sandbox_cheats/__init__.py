"""More cheats, by what they turn: the result, the seam that it comes through, the message, and what lies around."""

from sandbox_cheats.around import AROUND
from sandbox_cheats.attributes import ATTRIBUTES
from sandbox_cheats.behaviour import BEHAVIOUR, Trap
from sandbox_cheats.forged import FORGED
from sandbox_cheats.odd import ODD
from sandbox_cheats.pretending import PRETENDING
from sandbox_cheats.seam import SEAM
from sandbox_hostile.cheats import CHEATS as COMMON
from sandbox_hostile.cheats import REPLY, Cheat

__all__ = ["BEHAVIOUR", "CHEATS", "COMMON", "REPLY", "Cheat", "Trap"]

CHEATS: tuple[Cheat, ...] = (*COMMON, *PRETENDING, *SEAM, *FORGED, *ATTRIBUTES, *ODD, *AROUND)
