"""Which steps an always-possible property may use, when it names them and when it does not."""

from __future__ import annotations

from quorate.language import (
    Map,
    Node,
    Nodes,
    Spec,
    always_possible,
    crash,
    deliver,
    drop,
    each,
    instantiate,
    require,
    restart,
    timeout,
)


class Server(Spec):
    """A step of each kind that matters here."""

    nodes: Nodes
    up: Map[Node, bool] = each(True)

    @deliver
    def arrive(self, node: Node) -> None:
        require(self.up[node])

    @timeout
    def expire(self, node: Node) -> None:
        require(self.up[node])

    @drop
    def lose(self, node: Node) -> None:
        require(self.up[node])

    @crash
    def fail(self, node: Node) -> None:
        self.up[node] = False

    @restart
    def recover(self, node: Node) -> None:
        self.up[node] = True

    @always_possible()
    def repaired(self) -> bool:
        return all(self.up[n] for n in self.nodes)

    @always_possible(repairs=False)
    def unrepaired(self) -> bool:
        return all(self.up[n] for n in self.nodes)

    @always_possible(by=("fail",))
    def named(self) -> bool:
        return all(self.up[n] for n in self.nodes)


def test_faults_are_left_out_and_repairs_when_asked() -> None:
    by = {item.name: item.by for item in instantiate(Server, {"nodes": 1}).ir.properties}
    assert by == {
        "repaired": ("arrive", "expire", "recover"),
        "unrepaired": ("arrive", "expire"),
        "named": ("fail",),
    }
