"""Random specs that select elements of sets of messages: what tables of masks are made for."""

from __future__ import annotations

from random import Random

from quorate.language.ir.nodes import SpecIR
from quorate.language.ir.parser import parse_ir

FIELDS = {"Ask": ("bal",), "Told": ("who", "bal", "old"), "Done": ("who", "ok")}
TYPES = {"who": "(node nodes)", "bal": "(int 0 2)", "old": "(option (int 0 1))", "ok": "bool"}
UNION = "(union Ask Done Told)"

HEAD = """
  (sort nodes 3 ordered)
  (record Ask (bal (int 0 2)))
  (record Told (who (node nodes)) (bal (int 0 2)) (old (option (int 0 1))))
  (record Done (who (node nodes)) (ok bool))
  (variable sent (set (union Ask Done Told)) (set :(set (union Ask Done Told))))
  (variable top (map (node nodes) (int 0 2))
    (each :(map (node nodes) (int 0 2)) (const 0 (int 0 2))))
  (variable k (int 0 2) (const 0 (int 0 2)))
  (variable some (set (node nodes)) (set :(set (node nodes))))
  (variable n (int 0 99) (const 0 (int 0 99)))
"""


def random_selections(seed: int) -> SpecIR:
    """A spec whose actions and properties ask about the elements of its sets."""
    return parse_ir(_Selections(Random(seed)).spec())


class _Selections:
    """Writes one spec as text. A condition may run into a trap if `risky`."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._names = 0
        self._risky = random.random() < 0.3

    def spec(self) -> str:
        actions = [self._send(), self._receive(), *(self._act(i) for i in range(3))]
        who = {"who": "(node nodes)"}
        properties = [
            f"(property p{i} always "
            f"(fold.all ((who (domain :(set (node nodes))))) {self._question(who)}))"
            for i in range(4)
        ]
        return f"(spec selections {HEAD} {' '.join([*actions, *properties])})"

    def _name(self) -> str:
        self._names += 1
        return f"m_{self._names}"

    def _pick(self, *options: str) -> str:
        return self._random.choice(options)

    # Actions

    def _send(self) -> str:
        record = self._pick(
            "(record :Ask self.k)",
            "(record :Told who bal (none (option (int 0 1))))",
            "(record :Told who bal (coerce :(option (int 0 1)) (const 1 (int 0 1))))",
            "(record :Done who (contains self.some who))",
        )
        return f"""
          (action send internal ((who (node nodes)) (bal (int 0 2)))
            (add! self.sent (coerce :{UNION} {record})))
          (action other internal ((who (node nodes)))
            (assign self.k (coerce :(int 0 2) @k (mod (add self.k 1) 3)))
            (assign (place self.top (key who)) self.k)
            (add! self.some who)
            (add! self.sent (coerce :{UNION} (record :Done who (eq self.k 0)))))"""

    def _receive(self) -> str:
        kind = self._pick("Ask", "Told", "Done")
        scope = {"p": kind, "who": "(node nodes)"}
        guards = " ".join(
            f"(require {self._test(scope)})" for _ in range(self._random.randint(0, 3))
        )
        return f"""
          (action receive deliver ((who (node nodes)) (p {kind}))
            (require (contains self.sent (coerce :{UNION} p)))
            {guards}
            (assign self.n (coerce :(int 0 99) @n {self._number(scope)})))"""

    def _act(self, number: int) -> str:
        scope = {"who": "(node nodes)", "bal": "(int 0 2)", "quorum": "(set (node nodes))"}
        guards = " ".join(f"(require {self._question(scope)})" for _ in range(2))
        return f"""
          (action act_{number} internal
            ((who (node nodes)) (bal (int 0 2)) (quorum (set (node nodes))))
            (require (lt (const 1 (int 1 1)) (size quorum)))
            {guards}
            (assign self.n (coerce :(int 0 99) @n {self._number(scope)})))"""

    # Questions about a set

    def _question(self, scope: dict[str, str]) -> str:
        set_, kind = self._set(scope, 2)
        name = self._name()
        inner = {**scope, name: kind}
        fold = self._pick("any", "all")
        given = self._test(inner) if self._random.random() < 0.5 else ""
        return f"(fold.{fold} (({name} {set_} {given})) {self._test(inner)})"

    def _number(self, scope: dict[str, str]) -> str:
        set_, kind = self._set(scope, 2)
        if self._random.random() < 0.5:
            return f"(size {set_})"
        name = self._name()
        return f"(fold.sum (({name} {set_} {self._test({**scope, name: kind})})) 1)"

    def _set(self, scope: dict[str, str], depth: int) -> tuple[str, str]:
        """A set, and the type of its elements: a record's name or the union."""
        if depth == 0 or self._random.random() < 0.3:
            return "self.sent", UNION
        source, kind = self._set(scope, depth - 1)
        name = self._name()
        inner = {**scope, name: kind}
        if kind == UNION and self._random.random() < 0.6:
            record = self._pick(*FIELDS)
            is_one = f"(is {record} {name})"
            tests = [is_one, self._about(f"(narrow :{record} {name})", record, inner)]
            if self._risky:
                self._random.shuffle(tests)
            condition = f"(and {' '.join(tests)})"
            return f"(fold.set (({name} {source} {condition})) (narrow :{record} {name}))", record
        return f"(fold.set (({name} {source} {self._test(inner)})) {name})", kind

    # Conditions

    def _test(self, scope: dict[str, str]) -> str:
        messages = [name for name, kind in scope.items() if kind in FIELDS or kind == UNION]
        if not messages or self._random.random() < 0.1:
            return self._plain(scope)
        name = self._random.choice(messages)
        if scope[name] in FIELDS:
            test = self._about(name, scope[name], scope)
        else:
            record = self._pick(*FIELDS)
            inner = self._about(f"(narrow :{record} {name})", record, scope)
            test = f"(and (is {record} {name}) {inner})"
            if self._risky and self._random.random() < 0.3:
                test = inner
        wrap = self._random.random()
        if wrap < 0.15:
            return f"(not {test})"
        if wrap < 0.3:
            return f"({self._pick('and', 'or')} {test} {self._test(scope)})"
        return test

    def _about(self, message: str, record: str, scope: dict[str, str]) -> str:
        field = self._random.choice(FIELDS[record])
        value = f"(field {field} {message})"
        if field == "ok":
            return value
        if field == "who":
            quorum = "quorum" if "quorum" in scope else "self.some"
            return self._pick(f"(contains {quorum} {value})", f"(eq {value} {self._node(scope)})")
        if field == "old":
            some = f"(narrow :(int 0 1) {value})"
            known = f"(and (not (is_none {value})) (le {some} self.k))"
            return (
                known if not self._risky else self._pick(known, f"(le {some} {self._int(scope)})")
            )
        low, high = value, self._int(scope)
        return self._pick(f"(le {low} {high})", f"(lt {high} {low})", f"(eq {low} {high})")

    def _plain(self, scope: dict[str, str]) -> str:
        return self._pick(
            f"(le {self._int(scope)} {self._int(scope)})",
            f"(contains self.some {self._node(scope)})",
        )

    def _int(self, scope: dict[str, str]) -> str:
        found = ["self.k", f"(get self.top {self._node(scope)})"]
        found += [name for name, kind in scope.items() if kind == "(int 0 2)"]
        found += [
            f"(field bal {name})" for name, kind in scope.items() if "bal" in FIELDS.get(kind, ())
        ]
        return self._random.choice(found)

    def _node(self, scope: dict[str, str]) -> str:
        found = ["who"]
        found += [
            f"(field who {name})" for name, kind in scope.items() if "who" in FIELDS.get(kind, ())
        ]
        return self._random.choice(found)
