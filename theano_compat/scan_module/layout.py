"""Where the arguments of a scan stand: the order of inner and outer inputs and outputs, by kind.

The kinds, in the order in which they stand wherever they appear:

===========  =================================  =============================  =================
kind         node inputs                        inner inputs                   outputs
===========  =================================  =============================  =================
``steps``    the number of steps
``seqs``     arrays, row t is read in step t    one each
``mit_mot``  buffers                            one for each tap               one for each out tap
``mit_sot``  buffers                            one for each tap               one each
``sit_sot``  buffers                            one each, the row before       one each
``shared``   values                             one each                       one each, after ``nit_sot``
``nit_sot``  the number of rows to keep         none                           one each
``others``   values                             one each                       none
===========  =================================  =============================  =================

Inner outputs stand as ``mit_mot, mit_sot, sit_sot, nit_sot, shared`` and then the condition that ends a loop. In step t
the tap k of a state reads the row ``t + k - min(taps)`` of its buffer, modulo the number of its rows.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

STATES = ("mit_mot", "mit_sot", "sit_sot")
#: what a scan's ``info`` says beside the counts, with the values of a plain scan
DEFAULTS = {
    "truncate_gradient": -1,
    "name": None,
    "mode": None,
    "destroy_map": OrderedDict(),
    "gpua": False,
    "as_while": False,
    "profile": False,
    "allow_gc": False,
    "strict": False,
}


def _slices(sizes: dict[str, int]) -> dict[str, slice]:
    ends = list(accumulate(sizes.values()))
    return {kind: slice(end - size, end) for (kind, size), end in zip(sizes.items(), ends)}


class Layout:
    """The positions of a scan's arguments.

    Parameters
    ----------
    info : dict
        The op's description; ``n_seqs``, ``tap_array`` and the like.
    n_inner_inputs : int
        The number of inner inputs, which tells that of the non-sequences.

    Attributes
    ----------
    inner_in, inner_out, outer_in, outer_out : dict of str to slice
        Kind to positions.
    n_states : int
        The number of buffers that steps read and write.
    """

    def __init__(self, info: dict[str, Any], n_inner_inputs: int):
        self.n_seqs, self.n_shared, self.n_nit_sot = info["n_seqs"], info["n_shared_outs"], info["n_nit_sot"]
        self.n_mit_mot, self.n_mit_sot, self.n_sit_sot = info["n_mit_mot"], info["n_mit_sot"], info["n_sit_sot"]
        self.as_while = bool(info.get("as_while"))
        self.in_taps = [list(taps) for taps in info["tap_array"]]
        self.out_taps = [list(taps) for taps in info["mit_mot_out_slices"]] + [[0]] * (self.n_mit_sot + self.n_sit_sot)
        self.n_states = self.n_mit_mot + self.n_mit_sot + self.n_sit_sot
        taps_in = [len(taps) for taps in self.in_taps]
        mit_mot_taps = sum(taps_in[: self.n_mit_mot])
        mit_sot_taps = sum(taps_in[self.n_mit_mot : self.n_mit_mot + self.n_mit_sot])
        mit_mot_outs = sum(len(taps) for taps in self.out_taps[: self.n_mit_mot])
        known = self.n_seqs + mit_mot_taps + mit_sot_taps + self.n_sit_sot + self.n_shared
        self.n_others = n_inner_inputs - known
        middle = {"mit_mot": self.n_mit_mot, "mit_sot": self.n_mit_sot, "sit_sot": self.n_sit_sot}
        self.inner_in = _slices(
            {"seqs": self.n_seqs, "mit_mot": mit_mot_taps, "mit_sot": mit_sot_taps, "sit_sot": self.n_sit_sot,
             "shared": self.n_shared, "others": self.n_others}
        )  # fmt: skip
        self.inner_out = _slices(
            {"mit_mot": mit_mot_outs, "mit_sot": self.n_mit_sot, "sit_sot": self.n_sit_sot, "nit_sot": self.n_nit_sot,
             "shared": self.n_shared, "cond": int(self.as_while)}
        )  # fmt: skip
        self.outer_in = _slices(
            {"steps": 1, "seqs": self.n_seqs, **middle, "shared": self.n_shared, "nit_sot": self.n_nit_sot, "others": self.n_others}
        )
        self.outer_out = _slices({**middle, "nit_sot": self.n_nit_sot, "shared": self.n_shared})
        self.n_outer_outputs = self.n_states + self.n_nit_sot + self.n_shared

    @property
    def mintaps(self) -> list[int]:
        """The least tap of each state."""
        return [min(taps) for taps in self.in_taps]

    def state_kind(self, k: int) -> str:
        """The kind of state `k`."""
        if k < self.n_mit_mot:
            return "mit_mot"
        return "mit_sot" if k < self.n_mit_mot + self.n_mit_sot else "sit_sot"

    def state_inner_inputs(self, k: int) -> list[int]:
        """Positions of the inner inputs of state `k`, in the order of its taps."""
        start = self.n_seqs + sum(len(taps) for taps in self.in_taps[:k])
        return list(range(start, start + len(self.in_taps[k])))

    def state_inner_outputs(self, k: int) -> list[int]:
        """Positions of the inner outputs of state `k`, in the order of its out taps."""
        start = sum(len(taps) for taps in self.out_taps[:k])
        return list(range(start, start + len(self.out_taps[k])))

    def state_outer_input(self, k: int) -> int:
        """Position of the buffer of state `k` among the node's inputs."""
        return 1 + self.n_seqs + k

    def inner_of_output(self, k: int) -> list[int]:
        """Positions of the inner outputs that fill output `k` of the node."""
        if k < self.n_states:
            return self.state_inner_outputs(k)
        return [self.inner_out["nit_sot"].start + k - self.n_states]

    def inner_inputs_of_output(self, k: int) -> list[int]:
        """Positions of the inner inputs that read what output `k` of the node holds."""
        if k < self.n_states:
            return self.state_inner_inputs(k)
        k -= self.n_states + self.n_nit_sot
        return [self.inner_in["shared"].start + k] if k >= 0 else []

    def outer_inputs_of_output(self, k: int) -> list[int]:
        """Positions of the node's inputs that belong to output `k` alone."""
        if k < self.n_states:
            return [self.state_outer_input(k)]
        k -= self.n_states
        if k < self.n_nit_sot:
            return [self.outer_in["nit_sot"].start + k]
        return [self.outer_in["shared"].start + k - self.n_nit_sot]

    def mappings(self) -> dict[str, dict[int, Any]]:
        """Which inner and outer inputs and outputs belong together, as dictionaries between positions."""
        outer_of_in: dict[int, int] = {}
        outer_of_out: dict[int, int] = {}
        inner_of_out: dict[int, list[int]] = {}
        inner_in_of_outer: dict[int, list[int]] = {0: []}
        in_of_inner_out: dict[int, list[int]] = {}
        inner_out_of_in: dict[int, list[int]] = {}
        outer_in_of_inner_out: dict[int, int] = {}
        outer_in_of_out: dict[int, int] = {}
        outer_out_of_in: dict[int, int] = {0: -1}
        inner_out_of_outer_in: dict[int, list[int]] = {0: []}
        outer_out_of_inner_in: dict[int, int] = {}

        def tie(outer_in: int, inner_ins: list[int], outer_out: int, inner_outs: list[int]) -> None:
            inner_in_of_outer[outer_in], inner_out_of_outer_in[outer_in] = inner_ins, inner_outs
            outer_out_of_in[outer_in] = outer_out
            for i in inner_ins:
                outer_of_in[i], outer_out_of_inner_in[i], inner_out_of_in[i] = outer_in, outer_out, inner_outs
            for o in inner_outs:
                outer_of_out[o], outer_in_of_inner_out[o], in_of_inner_out[o] = outer_out, outer_in, inner_ins
            if outer_out >= 0:
                inner_of_out[outer_out], outer_in_of_out[outer_out] = inner_outs, outer_in

        for i in range(self.n_seqs):
            tie(1 + i, [i], -1, [])
        for k in range(self.n_outer_outputs):
            tie(self.outer_inputs_of_output(k)[0], self.inner_inputs_of_output(k), k, self.inner_of_output(k))
        for i in range(self.n_others):
            tie(self.outer_in["others"].start + i, [self.inner_in["others"].start + i], -1, [])
        return {
            "outer_inp_from_outer_out": outer_in_of_out,
            "inner_inp_from_outer_out": {k: self.inner_inputs_of_output(k) for k in range(self.n_outer_outputs)},
            "inner_out_from_outer_out": inner_of_out,
            "outer_inp_from_inner_inp": outer_of_in,
            "inner_out_from_inner_inp": inner_out_of_in,
            "outer_out_from_inner_inp": outer_out_of_inner_in,
            "inner_inp_from_outer_inp": inner_in_of_outer,
            "inner_out_from_outer_inp": inner_out_of_outer_in,
            "outer_out_from_outer_inp": outer_out_of_in,
            "outer_inp_from_inner_out": outer_in_of_inner_out,
            "inner_inp_from_inner_out": in_of_inner_out,
            "outer_out_from_inner_out": outer_of_out,
        }


#: how the groups of arguments are called: (outer inputs, inner inputs, inner outputs, outer outputs)
_GROUPS = {
    "mit_mot": ("outer_in_mit_mot", "inner_in_mit_mot", "inner_out_mit_mot", "outer_out_mit_mot"),
    "mit_sot": ("outer_in_mit_sot", "inner_in_mit_sot", "inner_out_mit_sot", "outer_out_mit_sot"),
    "sit_sot": ("outer_in_sit_sot", "inner_in_sit_sot", "inner_out_sit_sot", "outer_out_sit_sot"),
    "shared": ("outer_in_shared", "inner_in_shared", "inner_out_shared", "outer_out_shared"),
    "nit_sot": ("outer_in_nit_sot", None, "inner_out_nit_sot", "outer_out_nit_sot"),
}


def _split(items: Sequence, lengths: Sequence[int]) -> list[list]:
    ends = list(accumulate(lengths))
    return [list(items[end - length : end]) for length, end in zip(lengths, ends)]


class ScanDescription:
    """A scan taken apart: each kind of argument a list that can be changed.

    Parameters
    ----------
    outer_inputs, outer_outputs : list of Variable
        Inputs and outputs of the node; the outputs may be missing.
    inner_inputs, inner_outputs : list of Variable
        The step.
    info : dict
        The op's description.

    Attributes
    ----------
    n_steps : Variable
        The number of steps.
    outer_in_seqs, inner_in_seqs, outer_in_mit_mot, inner_in_mit_mot, ... : list
        The arguments by kind; those of ``mit_mot`` and of ``mit_sot`` on the inner side are lists of lists.
    mit_mot_in_slices, mit_mot_out_slices, mit_sot_in_slices : list of list of int
        The taps.
    cond : list of Variable
        The condition that ends the loop, or nothing.
    other_info : dict
        What else describes the op.
    """

    def __init__(self, outer_inputs: list, outer_outputs: list, inner_inputs: list, inner_outputs: list, info: dict):
        layout = Layout(info, len(inner_inputs))
        self.n_steps = outer_inputs[0]
        self.mit_mot_in_slices = layout.in_taps[: layout.n_mit_mot]
        self.mit_sot_in_slices = layout.in_taps[layout.n_mit_mot : layout.n_mit_mot + layout.n_mit_sot]
        self.mit_mot_out_slices = layout.out_taps[: layout.n_mit_mot]
        self.outer_in_seqs = outer_inputs[layout.outer_in["seqs"]]
        self.inner_in_seqs = inner_inputs[layout.inner_in["seqs"]]
        self.outer_in_non_seqs = outer_inputs[layout.outer_in["others"]]
        self.inner_in_non_seqs = inner_inputs[layout.inner_in["others"]]
        for kind, (outer_in, inner_in, inner_out, outer_out) in _GROUPS.items():
            setattr(self, outer_in, outer_inputs[layout.outer_in[kind]])
            setattr(self, inner_out, inner_outputs[layout.inner_out[kind]])
            setattr(self, outer_out, outer_outputs[layout.outer_out[kind]])
            if inner_in is not None:
                setattr(self, inner_in, inner_inputs[layout.inner_in[kind]])
        self.inner_in_mit_mot = _split(self.inner_in_mit_mot, [len(t) for t in self.mit_mot_in_slices])
        self.inner_in_mit_sot = _split(self.inner_in_mit_sot, [len(t) for t in self.mit_sot_in_slices])
        self.inner_out_mit_mot = _split(self.inner_out_mit_mot, [len(t) for t in self.mit_mot_out_slices])
        self.cond = inner_outputs[layout.inner_out["cond"]]
        self.as_while = layout.as_while
        self.other_info = OrderedDict((key, info.get(key, value)) for key, value in DEFAULTS.items() if key != "as_while")

    @classmethod
    def from_op(cls, op: Any, outer_inputs: list, outer_outputs: Sequence = ()) -> ScanDescription:
        """Take a scan apart without copying its step."""
        return ScanDescription(outer_inputs, list(outer_outputs), list(op.inputs), list(op.outputs), op.info)

    @property
    def inner_inputs(self) -> list:
        """The inner inputs in order."""
        return (
            self.inner_in_seqs + sum(self.inner_in_mit_mot, []) + sum(self.inner_in_mit_sot, [])
            + self.inner_in_sit_sot + self.inner_in_shared + self.inner_in_non_seqs
        )  # fmt: skip

    @property
    def outer_inputs(self) -> list:
        """The node's inputs in order."""
        return (
            [self.n_steps] + self.outer_in_seqs + self.outer_in_mit_mot + self.outer_in_mit_sot + self.outer_in_sit_sot
            + self.outer_in_shared + self.outer_in_nit_sot + self.outer_in_non_seqs
        )  # fmt: skip

    @property
    def inner_outputs(self) -> list:
        """The inner outputs in order."""
        return (
            sum(self.inner_out_mit_mot, []) + self.inner_out_mit_sot + self.inner_out_sit_sot
            + self.inner_out_nit_sot + self.inner_out_shared + self.cond
        )  # fmt: skip

    @property
    def outer_outputs(self) -> list:
        """The node's outputs in order."""
        return (
            self.outer_out_mit_mot + self.outer_out_mit_sot + self.outer_out_sit_sot
            + self.outer_out_nit_sot + self.outer_out_shared
        )  # fmt: skip

    @property
    def info(self) -> OrderedDict:
        """The op's description."""
        return OrderedDict(
            n_seqs=len(self.outer_in_seqs),
            n_mit_mot=len(self.outer_in_mit_mot),
            n_mit_sot=len(self.outer_in_mit_sot),
            n_sit_sot=len(self.outer_in_sit_sot),
            n_shared_outs=len(self.outer_in_shared),
            n_nit_sot=len(self.outer_in_nit_sot),
            n_mit_mot_outs=sum(len(taps) for taps in self.mit_mot_out_slices),
            mit_mot_out_slices=[list(taps) for taps in self.mit_mot_out_slices],
            tap_array=[list(t) for t in self.mit_mot_in_slices + self.mit_sot_in_slices] + [[-1]] * len(self.inner_in_sit_sot),
            as_while=self.as_while,
            **self.other_info,
        )

    def merge(self, other: ScanDescription) -> None:
        """Append all arguments of another scan to those of this one."""
        names = ["outer_in_seqs", "inner_in_seqs", "outer_in_non_seqs", "inner_in_non_seqs"]
        names += ["mit_mot_in_slices", "mit_mot_out_slices", "mit_sot_in_slices"]
        names += [name for group in _GROUPS.values() for name in group if name is not None]
        for name in names:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def without_outputs(self, drop: set[int]) -> ScanDescription:
        """The same scan without the outputs at the positions `drop`."""
        position = 0
        for kind, names in _GROUPS.items():
            if kind == "shared":
                continue
            position = self._drop(names, kind, drop, position)
        self._drop(_GROUPS["shared"], "shared", drop, position)
        return self

    def _drop(self, names: tuple, kind: str, drop: set[int], position: int) -> int:
        size = len(getattr(self, names[0]))
        keep = [i for i in range(size) if position + i not in drop]
        taps = {"mit_mot": ["mit_mot_in_slices", "mit_mot_out_slices"], "mit_sot": ["mit_sot_in_slices"]}.get(kind, [])
        for name in [*names, *taps]:
            if name is not None and len(getattr(self, name)) == size:
                setattr(self, name, [getattr(self, name)[i] for i in keep])
        return position + size
