"""Two-phase commit (TwoPhase.tla of Gray and Lamport), written as IR text by hand.

Independent of the front end: what it says about an engine does not rest on the translation.
"""

from __future__ import annotations

from quorate.language.ir.nodes import SpecIR
from quorate.language.ir.parser import parse_ir

_TEXT = """
(spec two-phase-commit
  (sort rms {rms})
  (enum RmState WORKING PREPARED COMMITTED ABORTED)
  (enum TmState INIT COMMITTED ABORTED)
  (record Abort) (record Commit) (record Prepared (rm (node rms)))
  (variable rm_state (map (node rms) RmState)
    (each :(map (node rms) RmState) RmState::WORKING))
  (variable tm_state TmState TmState::INIT)
  (variable tm_prepared (set (node rms)) (set :(set (node rms))))
  (variable messages (set (union Abort Commit Prepared))
    (set :(set (union Abort Commit Prepared))))

  (action tm_receive_prepared deliver ((rm (node rms)))
    (require (eq self.tm_state TmState::INIT))
    (require (contains self.messages
      (coerce :(union Abort Commit Prepared) (record :Prepared rm))))
    (add! self.tm_prepared rm))
  (action tm_commit internal ()
    (require (eq self.tm_state TmState::INIT))
    (require (eq self.tm_prepared (domain :(set (node rms)))))
    (assign self.tm_state TmState::COMMITTED)
    (add! self.messages (coerce :(union Abort Commit Prepared) (record :Commit))))
  (action tm_abort timeout ()
    (require (eq self.tm_state TmState::INIT))
    (assign self.tm_state TmState::ABORTED)
    (add! self.messages (coerce :(union Abort Commit Prepared) (record :Abort))))
  (action rm_prepare internal ((rm (node rms)))
    (require (eq (get self.rm_state rm) RmState::WORKING))
    (assign (place self.rm_state (key rm)) RmState::PREPARED)
    (add! self.messages (coerce :(union Abort Commit Prepared) (record :Prepared rm))))
  (action rm_choose_to_abort timeout ((rm (node rms)))
    (require (eq (get self.rm_state rm) RmState::WORKING))
    (assign (place self.rm_state (key rm)) RmState::ABORTED))
  (action rm_receive_commit deliver ((rm (node rms)))
    (require (contains self.messages (coerce :(union Abort Commit Prepared) (record :Commit))))
    (assign (place self.rm_state (key rm)) RmState::COMMITTED))
  (action rm_receive_abort deliver ((rm (node rms)))
    (require (contains self.messages (coerce :(union Abort Commit Prepared) (record :Abort))))
    (assign (place self.rm_state (key rm)) RmState::ABORTED))

  (property consistent always
    (not (fold.any ((a (domain :(set (node rms)))) (b (domain :(set (node rms)))))
      (and (eq (get self.rm_state a) RmState::ABORTED)
           (eq (get self.rm_state b) RmState::COMMITTED)))))
  (property nobody_commits always
    (fold.all ((rm (domain :(set (node rms)))))
      (not (eq (get self.rm_state rm) RmState::COMMITTED))))
  (property all_commit sometimes
    (fold.all ((rm (domain :(set (node rms))))) (eq (get self.rm_state rm) RmState::COMMITTED)))
  (property never_reversed step
    (fold.all ((rm (domain :(set (node rms)))
                   (eq (get self.rm_state rm) RmState::COMMITTED)))
      (eq (get after.rm_state rm) RmState::COMMITTED)))
  (property can_end always_possible
    (by tm_abort rm_receive_commit rm_receive_abort)
    (fold.all ((rm (domain :(set (node rms)))))
      (or (eq (get self.rm_state rm) RmState::COMMITTED)
          (eq (get self.rm_state rm) RmState::ABORTED)))))
"""


def two_phase_commit(rms: int = 3) -> SpecIR:
    """The spec for that many resource managers; `nobody_commits` is violated, on purpose."""
    return parse_ir(_TEXT.replace("{rms}", str(rms)))
