"""What is proposed to a receiver of stored objects, and which accepted context an object goes into (PS3.8 9.3.2).

Each transfer syntax has a context of its own: of several in one context the receiver would choose, and might choose one
that costs a conversion although it takes the stored one as well.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from radiology.dicom_network.association import AcceptedContext
from radiology.dicom_network.pdu import MAX_PRESENTATION_CONTEXTS
from radiology.standards.dicom.uids import TRANSFER_SYNTAXES
from radiology.studies.queries.retrieve import StoredInstance
from radiology.studies.transcoding import UNCOMPRESSED, sendable_syntaxes

Proposal = tuple[str, tuple[str, ...]]
Acceptance = Mapping[tuple[str, str], AcceptedContext]
"""Accepted contexts by SOP class and transfer syntax."""


@dataclass(slots=True)
class Batch:
    """Instances that one association can carry, and the contexts that it proposes for them."""

    proposals: list[Proposal] = field(default_factory=list[Proposal])
    instances: list[StoredInstance] = field(default_factory=list[StoredInstance])


def batches(instances: Iterable[StoredInstance]) -> list[Batch]:
    """Instances by association: one where 128 contexts are enough, else several. The order is kept in each."""
    by_class: dict[str, list[StoredInstance]] = {}
    for instance in instances:
        by_class.setdefault(instance.sop_class_uid, []).append(instance)
    made = [Batch()]
    batch_of: dict[str, Batch] = {}
    for sop_class_uid, of_class in by_class.items():
        proposals = proposals_of(sop_class_uid, [instance.transfer_syntax_uid for instance in of_class])
        if len(made[-1].proposals) + len(proposals) > MAX_PRESENTATION_CONTEXTS:
            made.append(Batch())
        made[-1].proposals += proposals
        batch_of[sop_class_uid] = made[-1]
    for of_class in by_class.values():
        batch_of[of_class[0].sop_class_uid].instances += of_class
    return made if made[0].instances else []


def proposals_of(sop_class_uid: str, stored: Sequence[str]) -> list[Proposal]:
    """The contexts for one SOP class: every syntax that objects are stored in, and what they can become."""
    # Every receiver takes an uncompressed syntax (PS3.5 10.1), so that nothing is compressed anew for it.
    kept = dict.fromkeys(stored)
    wanted = dict.fromkeys(
        uid for syntax in kept for uid in sendable_syntaxes(syntax) if uid in kept or uid in UNCOMPRESSED
    )
    # As stored comes first: some receivers take the first context of a class and no other.
    ordered = sorted(wanted, key=lambda uid: uid not in stored)
    return [(sop_class_uid, (uid,)) for uid in ordered]


def accepted(contexts: Iterable[AcceptedContext], *, peer_is_requestor: bool) -> Acceptance:
    """The contexts in which we may store at the peer: those in which it has the SCP role (PS3.7 D.3.3.4)."""
    found: dict[tuple[str, str], AcceptedContext] = {}
    for context in contexts:
        peer_is_scp = context.requestor_is_scp if peer_is_requestor else context.requestor_is_scu
        if peer_is_scp:
            found.setdefault((context.abstract_syntax_uid, context.transfer_syntax_uid), context)
    return found


def header_context_for(instance: StoredInstance, acceptance: Acceptance) -> AcceptedContext | None:
    """An accepted context for an instance without bulk data: any that is little endian and not deflated.

    The uncompressed ones first, since they say nothing of pixel data that is not there.
    """
    of_class = {uid: context for (sop_class_uid, uid), context in acceptance.items()
                if sop_class_uid == instance.sop_class_uid}  # fmt: skip
    for uid in (*UNCOMPRESSED, *of_class):
        syntax = TRANSFER_SYNTAXES.get(uid)
        if uid in of_class and syntax is not None and not (syntax.big_endian or syntax.deflated):
            return of_class[uid]
    return None


def context_for(instance: StoredInstance, acceptance: Acceptance) -> AcceptedContext | None:
    """The best accepted context for an instance, or None when it can be sent in none of them."""
    for uid in sendable_syntaxes(instance.transfer_syntax_uid):
        if (context := acceptance.get((instance.sop_class_uid, uid))) is not None:
            return context
    return None
