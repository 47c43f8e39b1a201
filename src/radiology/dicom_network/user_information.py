"""The user information item of A-ASSOCIATE PDUs, with the sub-items of PS3.7 annex D, as values. No I/O."""

import struct
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from radiology.dicom_network.items import Cursor, item, items, prefixed, uid_of
from radiology.standards.dicom.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

DEFAULT_MAX_PDU_LENGTH: Final = 128 * 1024


class AsyncWindow(NamedTuple):
    """Asynchronous operations window (PS3.7 D.3.3.3); 0 is unlimited."""

    invoked: int
    performed: int


@dataclass(frozen=True, slots=True)
class RoleSelection:
    """SCP/SCU role selection, proposed or answered, for one SOP class (PS3.7 D.3.3.4)."""

    sop_class_uid: str
    scu: bool
    scp: bool


@dataclass(frozen=True, slots=True)
class SOPClassExtended:
    """SOP class extended negotiation: the bytes mean what the service class says (PS3.7 D.3.3.5)."""

    sop_class_uid: str
    information: bytes


@dataclass(frozen=True, slots=True)
class SOPClassCommonExtended:
    """SOP class common extended negotiation: which service class a SOP class belongs to (PS3.7 D.3.3.6)."""

    sop_class_uid: str
    service_class_uid: str
    related_sop_class_uids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UserIdentity:
    """User identity proposed by the requestor (PS3.7 D.3.3.7): 1 name, 2 and passcode, 3 Kerberos, 4 SAML, 5 JWT."""

    kind: int
    primary: bytes = field(repr=False)
    secondary: bytes = field(default=b"", repr=False)
    response_requested: bool = False


@dataclass(frozen=True, slots=True)
class UserInformation:
    """The user information item and all sub-items of PS3.7 annex D that we know; others are ignored."""

    max_pdu_length: int = DEFAULT_MAX_PDU_LENGTH
    implementation_class_uid: str = IMPLEMENTATION_CLASS_UID
    implementation_version_name: str = IMPLEMENTATION_VERSION_NAME
    async_window: AsyncWindow | None = None
    roles: tuple[RoleSelection, ...] = ()
    extended: tuple[SOPClassExtended, ...] = ()
    common_extended: tuple[SOPClassCommonExtended, ...] = ()
    user_identity: UserIdentity | None = None
    user_identity_response: bytes | None = None


DEFAULT_USER_INFORMATION: Final = UserInformation()


def encode_user_information(user: UserInformation) -> bytes:
    """What the item holds. Raises ValueError when a value does not fit its field."""
    parts = [item(0x51, user.max_pdu_length.to_bytes(4, "big"))]
    parts.append(item(0x52, user.implementation_class_uid.encode("ascii")))
    if user.async_window is not None:
        parts.append(item(0x53, struct.pack(">HH", *user.async_window)))
    parts.extend(map(_role, user.roles))
    if user.implementation_version_name:
        parts.append(item(0x55, user.implementation_version_name.encode("ascii")))
    parts.extend(map(_extended, user.extended))
    parts.extend(map(_common_extended, user.common_extended))
    if (identity := user.user_identity) is not None:
        kind = bytes((identity.kind, identity.response_requested))
        parts.append(item(0x58, kind + prefixed(identity.primary) + prefixed(identity.secondary)))
    if user.user_identity_response is not None:
        parts.append(item(0x59, prefixed(user.user_identity_response)))
    return b"".join(parts)


def _role(role: RoleSelection) -> bytes:
    return item(0x54, prefixed(role.sop_class_uid.encode("ascii")) + bytes((role.scu, role.scp)))


def _extended(extended: SOPClassExtended) -> bytes:
    return item(0x56, prefixed(extended.sop_class_uid.encode("ascii")) + extended.information)


def _common_extended(common: SOPClassCommonExtended) -> bytes:
    related = b"".join(prefixed(uid.encode("ascii")) for uid in common.related_sop_class_uids)
    uids = prefixed(common.sop_class_uid.encode("ascii")) + prefixed(common.service_class_uid.encode("ascii"))
    return item(0x57, uids + prefixed(related))


def decode_user_information(content: memoryview) -> UserInformation:
    """What the content of the item says; sub-items that we do not know are ignored. Raises PDUError."""
    maximum, class_uid, version = 0, "", ""
    window: AsyncWindow | None = None
    identity: UserIdentity | None = None
    response: bytes | None = None
    roles, extended, common = list[RoleSelection](), list[SOPClassExtended](), list[SOPClassCommonExtended]()
    for kind, sub_item in items(content):
        cursor = Cursor(sub_item)
        match kind:
            case 0x51:
                maximum = int.from_bytes(cursor.take(4), "big")
            case 0x52:
                class_uid = uid_of(sub_item)
            case 0x53:
                window = AsyncWindow(cursor.u16(), cursor.u16())
            case 0x54:
                roles.append(RoleSelection(uid_of(cursor.prefixed()), cursor.u8() == 1, cursor.u8() == 1))
            case 0x55:
                version = bytes(sub_item[:16]).decode("ascii", "replace").strip(" \0")
            case 0x56:
                extended.append(SOPClassExtended(uid_of(cursor.prefixed()), bytes(cursor.rest())))
            case 0x57:
                common.append(_decode_common_extended(cursor))
            case 0x58:
                identity = _decode_identity(cursor)
            case 0x59:
                response = bytes(cursor.prefixed())
            case _:
                pass  # Sub-items that a later edition adds are ignored (PS3.8 section 9.3.1).
    return UserInformation(
        maximum, class_uid, version, window, tuple(roles), tuple(extended), tuple(common), identity, response
    )


def _decode_common_extended(cursor: Cursor) -> SOPClassCommonExtended:
    sop_class, service_class = uid_of(cursor.prefixed()), uid_of(cursor.prefixed())
    related, uids = Cursor(cursor.prefixed()), list[str]()
    while related.rest():
        uids.append(uid_of(related.prefixed()))
    return SOPClassCommonExtended(sop_class, service_class, tuple(uids))


def _decode_identity(cursor: Cursor) -> UserIdentity:
    kind, response_requested = cursor.u8(), cursor.u8() == 1
    primary = bytes(cursor.prefixed())
    secondary = bytes(cursor.prefixed()) if cursor.rest() else b""
    return UserIdentity(kind, primary, secondary, response_requested)
